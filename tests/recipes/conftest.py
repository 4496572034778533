"""The shared base model."""

from tests.micro_base import micro_base

__all__ = ["micro_base"]
