"""One view model, one renderer per format."""
