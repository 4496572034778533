"""What a command prints: standard streams, tables, and progress on standard error."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self, TextIO

import click

from harness.ci_mode import in_ci
from harness.clock import SYSTEM_CLOCK, Clock

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

PLAIN_EVERY = 10.0
_FEW = 10  # of many requests under way at once the first ones say little about the others' time


class _StandardStream(io.FileIO):
    """A stream that loses what cannot be written, so that a command comes to its end.

    `lost` is why. A pipe that nobody reads stays an error on standard output: whoever read it has
    had enough.
    """

    lost: OSError | None = None

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except OSError as error:
            if isinstance(error, BrokenPipeError) and self.fileno() == 1:
                raise
            self.lost = error
            discard(self.fileno())
            return len(data)


def open_streams() -> None:
    """Give this process three standard streams that work, whatever it was started with.

    What is closed is opened on the null device: the next file would take its place, and be written
    to by whatever prints.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
    sys.stdin = sys.stdin or open(0, closefd=False)  # noqa: SIM115 - lives as long as we
    # Whoever has put another stream in place of the process's own knows what becomes of it.
    if sys.stdout is sys.__stdout__:
        sys.stdout = _writing(1, sys.stdout)
    if sys.stderr is sys.__stderr__:
        sys.stderr = _writing(2, sys.stderr)


def lost_output() -> OSError | None:
    """Why standard output could not be written, None where it could."""
    with unbroken():
        pass
    raw = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    return raw.lost if isinstance(raw, _StandardStream) else None


def _writing(number: int, stream: TextIO | None) -> TextIO:
    writer = io.BufferedWriter(_StandardStream(number, "w", closefd=False))
    return io.TextIOWrapper(
        writer,
        encoding=None if stream is None else stream.encoding,
        errors=("strict", "backslashreplace")[number - 1] if stream is None else stream.errors,
        line_buffering=number == 2 or (stream is not None and stream.isatty()),
    )


@contextmanager
def unbroken() -> Iterator[None]:
    """Let a reader of standard output go away without changing the exit code."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        discard(sys.stdout.fileno())


def say_last(text: str, *, err: bool = False, nl: bool = True) -> None:
    """Print how a command ends, or nothing where that cannot be: its exit code says it as well."""
    stream = sys.stderr if err else sys.stdout
    try:
        click.echo(text, err=err, nl=nl)
        stream.flush()
    except OSError:
        discard(stream.fileno())


def discard(number: int) -> None:
    """Lose what is written to a stream, so that nothing fails again when the interpreter ends."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, number)
    os.close(null)


def table(rows: Sequence[Sequence[str]], left: int) -> list[str]:
    """A line for each row, columns as wide as their content; the first `left` begin at the left.

    All rows have as many cells as the first; the others' cells end at the right.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = (
            cell.ljust(width) if place < left else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        lines.append("  ".join(cells).rstrip())
    return lines


class Console:
    """Hears steps and counts, and shows them on standard error with rate and time left."""

    def __init__(self, clock: Clock = SYSTEM_CLOCK, live: bool | None = None) -> None:
        self._clock = clock
        self._live = _is_terminal() if live is None else live
        self._bar: Progress | None = None
        self._tasks: dict[str, TaskID] = {}
        self._began: dict[str, tuple[float, int]] = {}
        self._last: dict[str, float] = {}
        self._heard: dict[str, tuple[int, int]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def say(self, text: str) -> None:
        """Show a step that begins."""
        if self._bar is not None:
            self._bar.console.print(text, highlight=False, markup=False)
        else:
            click.echo(text, err=True)

    def progress(self, stage: str, done: int, total: int, detail: str) -> None:
        """Show that `done` of `total` are over."""
        if self._live:
            self._show_bar(stage, done, total, detail)
        else:
            self._show_line(stage, done, total, detail)

    def _show_bar(self, stage: str, done: int, total: int, detail: str) -> None:
        if self._bar is None:
            self._bar = _new_bar()
            self._bar.start()
        if stage not in self._tasks:
            self._tasks[stage] = self._bar.add_task(stage, total=total, detail="")
        self._bar.update(self._tasks[stage], completed=done, total=total, detail=detail)

    def _show_line(self, stage: str, done: int, total: int, detail: str) -> None:
        now = self._clock.now()
        began, at_start = self._began.setdefault(stage, (now, done))
        finished = done >= total
        before, self._heard[stage] = self._heard.get(stage), (done, total)
        if finished and before == (done, total):
            return  # a stage that is over may be told again while its last step ends
        if not finished and now - self._last.get(stage, now - PLAIN_EVERY) < PLAIN_EVERY:
            return
        self._last[stage] = now
        elapsed, counted = now - began, done - at_start
        rate = counted / elapsed if elapsed > 0 else 0.0
        told = counted >= min(_FEW, total / _FEW) and not finished
        left = f", {_duration((total - done) / rate)} left" if rate and told else ""
        speed = f", {rate:.3g}/s" if rate else ""
        click.echo(
            f"{stage}: {done}/{total}{speed}{left}{', ' if detail else ''}{detail}", err=True
        )


def _is_terminal() -> bool:
    return sys.stderr.isatty() and not in_ci()


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


def _new_bar() -> Progress:
    from rich.console import Console as RichConsole
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        SpinnerColumn,
        Task,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class RateColumn(ProgressColumn):
        def render(self, task: Task) -> Text:
            rate = task.finished_speed or task.speed
            return Text(f"{rate:.3g}/s" if rate else "")

    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        RateColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[detail]}", markup=False),
        console=RichConsole(stderr=True),
    )
