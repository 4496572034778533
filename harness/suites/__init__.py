"""Suites: load, validate, lint."""

from harness.suites.lint import lint_suite
from harness.suites.load import ScorerBook, load_suite

__all__ = ["ScorerBook", "lint_suite", "load_suite"]
