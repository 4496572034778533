"""What pytest prints for the harness: progress, a header, and a summary."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from harness.clock import SYSTEM_CLOCK, Clock
from harness.pytest_plugin.findings import Judged
from harness.pytest_plugin.reporting import TEXT, TOLERATED
from harness.pytest_plugin.session import Workbench
from harness.report.text import one_line

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


_COLOURS = {"PROMOTE": "green", "BLOCK": "red", "INVALID": "red", "INCONCLUSIVE": "yellow"}


def header(workbench: Workbench) -> str:
    """What is put to whom, on one line."""
    targets = ", ".join(workbench.options.targets)
    against = f", baseline: {workbench.baseline}" if workbench.baseline else ""
    return f"harness: targets: {targets}{against}, configuration: {_shown(workbench)}"


def summarise(
    workbench: Workbench, terminal: pytest.TerminalReporter, notes: Sequence[str] = ()
) -> None:
    """Write the verdict on each candidate, where its report is, `notes`, and what was tolerated."""
    tolerated = terminal.stats.get(TOLERATED, [])
    judged = {} if workbench.findings is None else workbench.findings.judged
    if not (tolerated or judged or notes or workbench.partial):
        return
    terminal.write_sep("=", "harness")
    for candidate, found in judged.items():
        _tell(workbench, candidate, found, terminal)
    for candidate, folder in workbench.partial.items():
        terminal.write_line(f"{candidate}: broken off; the same command goes on", yellow=True)
        terminal.write_line(f"  partial report: {_near(folder / 'report.html')}")
    for note in notes:
        terminal.write_line(note)
    if tolerated:
        _list(tolerated, terminal)


def _tell(
    workbench: Workbench, candidate: str, found: Judged, terminal: pytest.TerminalReporter
) -> None:
    against = f"{candidate} against {workbench.baseline}"
    if found.verdict is None or found.report is None:
        terminal.write_line(f"{against}: only a part was judged, so there is no verdict")
        return
    colour = {_COLOURS[found.verdict]: True}
    terminal.write(found.verdict, bold=True, **colour)
    terminal.write_line(f"  {against}: {one_line(found.reason)}")
    terminal.write_line(f"  report: {_near(Path(found.report) / 'report.html')}")


def _list(tolerated: list[pytest.TestReport], terminal: pytest.TerminalReporter) -> None:
    """How much was tolerated; which with `-ra`, and in full with `-vv`."""
    chars, verbose = terminal.reportchars, terminal.config.option.verbose
    hint = "" if "s" in chars or verbose > 1 else " (-ra lists them, -vv shows them)"
    count = f"{len(tolerated)} failing case{'s' if len(tolerated) > 1 else ''}"
    terminal.write_line(f"{count} tolerated, the rules decide{hint}", yellow=True)
    for report in tolerated if verbose > 1 or "s" in chars else ():
        _, _, reason = report.longrepr if isinstance(report.longrepr, tuple) else ("", 0, "")
        if verbose > 1:
            terminal.write_sep("_", report.nodeid, yellow=True)
            terminal.write_line(reason)
            terminal.write_line(getattr(report, TEXT, ""))
        else:
            said = reason.removeprefix(f"{TOLERATED}: ")
            terminal.write_line(f"{TOLERATED.upper()} {report.nodeid} - {said}")


def _shown(workbench: Workbench) -> str:
    return _near(workbench.options.config)


def _near(path: Path) -> str:
    """The path as seen from the current folder, where it lies below it."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
