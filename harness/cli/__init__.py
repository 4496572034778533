"""Wiring, printing, exit codes: one file per command."""
