"""Fixtures of the linter's tests."""

from tests.micro_base import micro_base

__all__ = ["micro_base"]
