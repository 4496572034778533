"""Reports: content that is the same for all formats, and one renderer per format."""
