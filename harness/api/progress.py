"""Progress: how a long call tells how far it is."""

from __future__ import annotations

import sys

from harness.clock import SYSTEM_CLOCK, Clock

EVERY = 10.0


class Lines:
    """Hears steps and counts, and writes a line for them now and then to standard error."""

    def __init__(self, clock: Clock = SYSTEM_CLOCK) -> None:
        self._clock = clock
        self._last: dict[str, float] = {}

    def say(self, text: str) -> None:
        """Write down a step that begins."""
        sys.stderr.write(f"{text}\n")

    def progress(self, stage: str, done: int, total: int, detail: str) -> None:
        """Write down that `done` of `total` are over, at the end and every ten seconds."""
        now = self._clock.now()
        if done < total and now - self._last.get(stage, now - EVERY) < EVERY:
            return
        self._last[stage] = now
        self.say(f"{stage}: {done}/{total}{', ' if detail else ''}{detail}")


class Silence:
    """Hears steps and counts, and keeps them to itself."""

    def say(self, text: str) -> None:
        """Do nothing."""

    def progress(self, stage: str, done: int, total: int, detail: str) -> None:
        """Do nothing."""
