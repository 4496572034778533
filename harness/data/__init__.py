"""Other tools' data: read into cases and training conversations, and written for those tools."""
