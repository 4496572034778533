"""The Python face: stored runs, comparisons and verdicts as objects that make pandas frames."""
