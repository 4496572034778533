"""The nouns: one frozen record per file."""
