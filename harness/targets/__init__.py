"""Targets: their identity, their connection, and the proof that the right model answers."""
