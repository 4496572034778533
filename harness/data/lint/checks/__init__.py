"""The checks of training data, one a file."""
