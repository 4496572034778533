"""The streaming client of model servers."""
