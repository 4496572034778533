"""Forms of data, one a file, found by the entry-point group `harness.data_forms`."""
