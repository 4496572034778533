"""Which cases of the suites stand in a target's training data."""
