"""Tasks of lm-eval as sections of a suite."""
