"""Sections whose cases are conversations: the target answers turn after turn."""
