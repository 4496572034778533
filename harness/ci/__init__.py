"""Continuous integration: annotations, comments, and what a job keeps and posts."""
