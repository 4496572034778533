"""Several candidates side by side: one view, for the terminal, JSON, Markdown and HTML."""
