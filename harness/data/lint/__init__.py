"""A linter for training data: what a reviewer would say of it, with file and line."""
