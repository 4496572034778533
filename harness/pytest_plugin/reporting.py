"""Reports of items, and what the terminal shows: progress, a header and a summary."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from _pytest._code.code import ReprEntry, ReprExceptionInfo, ReprFileLocation, ReprTraceback
from _pytest.outcomes import Skipped

from harness.clock import SYSTEM_CLOCK, Clock
from harness.files import short_path
from harness.pytest_plugin.findings import CandidateResult
from harness.pytest_plugin.session import SessionState
from harness.records.attempt import Attempt, Score
from harness.records.suite import Case
from harness.report.text import clip
from harness.visible_text import on_a_line, one_line

WORD = "harness_word"
TEXT = "harness_text"
TOLERATED, INCONCLUSIVE = "tolerated", "inconclusive"


Sections = Iterable[tuple[str, str]]


class Failing(Exception):
    """A critical case, or a rule, that fails: why, and texts under their titles."""

    word = ""

    def __init__(self, message: str, sections: Sections = ()) -> None:
        super().__init__(on_a_line(message))
        self.sections = tuple(sections)


class Inconclusive(Failing):
    """A rule that the evidence cannot decide: no pass."""

    word = INCONCLUSIVE


class NoEvidence(Failing):
    """An item without evidence: an error, not a failure."""


class Tolerated(Skipped):
    """An ordinary case that fails: the rules decide what follows from it."""

    word = TOLERATED

    def __init__(self, message: str, sections: Sections = ()) -> None:
        super().__init__(f"{TOLERATED}: {on_a_line(message)}")
        self.sections = tuple(sections)


def set_outcome(report: pytest.TestReport, error: BaseException) -> None:
    """Give a report the outcome of its item, and its explanation instead of a traceback."""
    if not isinstance(error, Tolerated | Failing):
        return
    path, line, _ = report.location
    place = ReprFileLocation(path, (line or 0) + 1, str(error))
    if isinstance(error, Tolerated):
        report.outcome = "skipped"
        report.longrepr = (place.path, place.lineno, place.message)
        text = "\n".join(f"--- {title} ---\n{text}" for title, text in error.sections)
        setattr(report, TEXT, text)
    else:
        report.longrepr = in_pytest_style(place, error.sections)
    if error.word:
        setattr(report, WORD, error.word)


_TEXT = 4_000
_COMMAND = re.compile(r"^(\s*::)", re.MULTILINE)
_REASON = 300


def in_pytest_style(place: ReprFileLocation, sections: Sections) -> ReprExceptionInfo:
    """A failure that pytest prints, sends between processes and writes to JUnit."""
    entry = ReprEntry([f"E   {place.message}"], None, None, place, "long")
    info = ReprExceptionInfo(reprtraceback=ReprTraceback([entry], None, "long"), reprcrash=place)
    for title, text in sections:
        info.addsection(title, text, "-")
    return info


def prompt_sections(case: Case) -> Iterator[tuple[str, str]]:
    """What was asked, and what the suite expects of the answer."""
    turns = case.messages
    yield (
        "prompt",
        "\n".join(
            printable(turn.content)
            if len(turns) == 1
            else f"{turn.role}: {printable(turn.content)}"
            for turn in turns
        ),
    )
    if expected := "\n".join(_expected(case.expect)):
        yield "expected", expected


def answer_section(who: str, score: Score, attempt: Attempt) -> tuple[str, str]:
    """What a target answered, its score and why, under a title that says whose answer it is."""
    title = [f"answer of {who}"]
    if score.repeat:
        title.append(f"repeat {score.repeat + 1}")
    title.append(score.status if score.value is None else f"score {score.value:.3g}")
    if score.passed is not None:
        title.append("pass" if score.passed else "fail")
    lines = [printable(attempt.text) if attempt.text else _nothing(attempt)]
    if attempt.state == "truncated":
        lines.append("[cut off at the token limit]")
    elif attempt.state == "filtered":
        lines.append("[stopped by a content filter]")
    if reason := why(score):
        lines.append(f"why: {reason}")
    return ", ".join(title), "\n".join(lines)


def why(score: Score) -> str:
    """The scorer's label and reason on one line."""
    label, reason = one_line(score.label, 80), one_line(score.reason, _REASON)
    return on_a_line(": ".join(filter(None, (label, reason))))


def printable(text: str) -> str:
    """The text with nothing hidden or active in it, cut where it is very long.

    That goes for a CI runner too, which takes a line that begins with `::`, or `##[` anywhere, for
    a command of its own.
    """
    cut = clip(text, _TEXT)
    visible = _COMMAND.sub(r"| \1", cut.text).replace("##[", "## [")
    return f"{visible}\n[{cut.more}]" if cut.more else visible


def _nothing(attempt: Attempt) -> str:
    if attempt.failure is None:
        return f"[an {attempt.emptiness}]"
    failure = attempt.failure
    code = f" {failure.status}" if failure.status is not None else ""
    return f"[the request failed ({failure.cause}{code}): {one_line(failure.detail, _REASON)}]"


def _expected(expect: Mapping[str, Any]) -> Iterator[str]:
    for key, value in expect.items():
        text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        yield f"{one_line(key, 80)}: {one_line(text, _TEXT)}"


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


_COLOURS = {"PROMOTE": "green", "BLOCK": "red", "INVALID": "red", "INCONCLUSIVE": "yellow"}


def summarise(
    state: SessionState, terminal: pytest.TerminalReporter, notes: Sequence[str] = ()
) -> None:
    """Write the verdict on each candidate, where its report is, `notes`, and what was tolerated."""
    tolerated = terminal.stats.get(TOLERATED, [])
    judged = {} if state.findings is None else state.findings.judged
    unjudged = state.findings is not None and bool(state.candidates) and not judged
    if not (tolerated or judged or notes or state.partial or unjudged):
        return
    terminal.write_sep("=", "harness")
    for candidate, found in judged.items():
        _write_verdict(state, candidate, found, terminal)
    for candidate, folder in state.partial.items():
        terminal.write_line(f"{candidate}: broken off; the same command goes on", yellow=True)
        terminal.write_line(f"  partial report: {short_path(folder / 'report.html')}")
    for note in notes:
        terminal.write_line(note)
    if unjudged and state.policy is not None and not state.partial:
        terminal.write_line("no verdict: rules not selected", yellow=True)
    if tolerated:
        _list(tolerated, terminal, "" if unjudged else ", the rules decide")


def _write_verdict(
    state: SessionState, candidate: str, found: CandidateResult, terminal: pytest.TerminalReporter
) -> None:
    against = f"{candidate} against {state.baseline}"
    if found.verdict is None or found.report is None:
        terminal.write_line(f"{against}: only a part was judged, so there is no verdict")
        return
    colour = {_COLOURS[found.verdict]: True}
    terminal.write(found.verdict, bold=True, **colour)
    terminal.write_line(f"  {against}: {one_line(found.reason)}")
    terminal.write_line(f"  report: {short_path(Path(found.report) / 'report.html')}")


def _list(
    tolerated: list[pytest.TestReport], terminal: pytest.TerminalReporter, decided: str
) -> None:
    """How much was tolerated; which with `-ra`, and in full with `-vv`."""
    chars, verbose = terminal.reportchars, terminal.config.option.verbose
    hint = "" if "s" in chars or verbose > 1 else " (-ra lists them, -vv shows them)"
    count = f"{len(tolerated)} failing case{'s' if len(tolerated) > 1 else ''}"
    terminal.write_line(f"{count} tolerated{decided}{hint}", yellow=True)
    for report in tolerated if verbose > 1 or "s" in chars else ():
        _, _, reason = report.longrepr if isinstance(report.longrepr, tuple) else ("", 0, "")
        if verbose > 1:
            terminal.write_sep("_", report.nodeid, yellow=True)
            terminal.write_line(reason)
            terminal.write_line(getattr(report, TEXT, ""))
        else:
            text = reason.removeprefix(f"{TOLERATED}: ")
            terminal.write_line(f"{TOLERATED.upper()} {report.nodeid} - {text}")
