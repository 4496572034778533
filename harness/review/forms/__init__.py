"""Exports of labelling tools, one a file, found by the entry-point group `harness.label_forms`."""
