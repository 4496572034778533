"""Continuous integration: annotations, comments, and the files of a job."""
