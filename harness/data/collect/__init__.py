"""Production logs, made into proposals for suites and for training."""
