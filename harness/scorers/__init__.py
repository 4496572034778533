"""Scorers of answers: a Protocol, a registry, one scorer per file."""

from harness.scorers.protocol import Judgement, Scorer, Settings, Unscored
from harness.scorers.registry import Registry, book, get, names, register

__all__ = [
    "Judgement",
    "Registry",
    "Scorer",
    "Settings",
    "Unscored",
    "book",
    "get",
    "names",
    "register",
]
