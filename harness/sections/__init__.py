"""Kinds of section of a suite: a Protocol, a registry, one kind per file."""
