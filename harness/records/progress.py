"""A watcher: whoever wants to hear how a long stage goes."""

from __future__ import annotations

from typing import Protocol


class Watcher(Protocol):
    """Whoever wants to hear how a run goes."""

    def say(self, text: str) -> None:
        """Take note of a step that begins."""
        ...

    def progress(self, stage: str, done: int, total: int, detail: str) -> None:
        """Take note that `done` of `total` are over."""
        ...
