"""Progress of the asking, in pytest's own terminal."""

from __future__ import annotations

import pytest

from harness.clock import SYSTEM_CLOCK, Clock

EVERY, LIVE_EVERY = 10.0, 0.1


class Progress:
    """Hears steps and counts: one line that changes on a terminal, a line now and then elsewhere.

    Nothing is shown with `-q`, or where pytest has no terminal reporter.
    """

    def __init__(
        self, terminal: pytest.TerminalReporter | None, clock: Clock = SYSTEM_CLOCK
    ) -> None:
        self._terminal = terminal
        self._clock = clock
        self._last: dict[str, float] = {}
        self._live = terminal is not None and bool(terminal.isatty)
        self._open = False

    def say(self, text: str) -> None:
        """Show a step that begins."""
        self._close()
        if self._terminal is not None:
            self._terminal.write_line(f"harness: {text}")

    def progress(self, stage: str, done: int, total: int, detail: str) -> None:
        """Show that `done` of `total` are over."""
        if self._terminal is None:
            return
        now, finished = self._clock.now(), done >= total
        every = LIVE_EVERY if self._live else EVERY
        last = self._last.setdefault(stage, now)
        if not finished and now - last < every:
            return
        self._last[stage] = now
        text = f"harness: {stage} {done}/{total}{f', {detail}' if detail else ''}"
        if self._live:
            self._terminal.rewrite(text, erase=True)
            self._open = True
            if finished:
                self._close()
        else:
            self._terminal.write_line(text)

    def _close(self) -> None:
        """End the line that changes."""
        if self._open and self._terminal is not None:
            self._terminal.write("\n")
        self._open = False


def progress_of(config: pytest.Config) -> Progress:
    """The progress that the session's terminal shows."""
    terminal = config.pluginmanager.getplugin("terminalreporter")
    return Progress(terminal if config.option.verbose >= 0 else None)
