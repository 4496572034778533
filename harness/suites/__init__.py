"""Suites: load, validate, lint."""
