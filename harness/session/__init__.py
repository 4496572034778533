"""From names to verdicts: what the command line, the Python face and pytest share."""
