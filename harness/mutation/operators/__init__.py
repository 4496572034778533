"""Ways to break a candidate, one a file, found by the entry-point group `harness.mutations`."""
