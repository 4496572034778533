"""Kinds of rule, one a file, found by the entry-point group `harness.rules`."""
