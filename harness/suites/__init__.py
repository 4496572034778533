"""Suites: load, validate, lint."""

from harness.suites.lint import lint_suite
from harness.suites.load import load_suite
from harness.suites.source import LoadedSection, SectionBook, SectionSource

__all__ = ["LoadedSection", "SectionBook", "SectionSource", "lint_suite", "load_suite"]
