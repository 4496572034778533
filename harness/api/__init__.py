"""The Python interface: runs, comparisons and verdicts as objects with pandas frames."""
