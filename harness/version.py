"""The harness's version, for every floor to name."""

__version__ = "0.1.0"
