"""Outcomes of items: the words and letters that pytest has for them, and how they are printed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from _pytest._code.code import ReprEntry, ReprExceptionInfo, ReprFileLocation, ReprTraceback
from _pytest.outcomes import Skipped

from harness.records.attempt import Attempt, Score
from harness.records.recording import RecordedCase
from harness.records.suite import Case
from harness.report.text import clip, on_a_line, one_line

WORD = "harness_word"
TEXT = "harness_text"
TOLERATED, INCONCLUSIVE = "tolerated", "inconclusive"

Status = tuple[str, str, str | tuple[str, dict[str, bool]]]


@dataclass(frozen=True, slots=True)
class Account:
    """Why an item does not pass: a line, where to look, and texts under their titles."""

    message: str
    path: str
    line: int
    sections: tuple[tuple[str, str], ...] = ()


class Failing(Exception):
    """A critical case, or a rule, that fails."""

    word = ""

    def __init__(self, account: Account) -> None:
        super().__init__(account.message)
        self.account = account


class Inconclusive(Failing):
    """A rule that the evidence cannot decide: no pass."""

    word = INCONCLUSIVE


class NoEvidence(Failing):
    """An item about which nothing can be said: an error, not a failure."""


class Tolerated(Skipped):
    """An ordinary case that fails: the rules decide what follows from it."""

    word = TOLERATED

    def __init__(self, account: Account) -> None:
        super().__init__(f"{TOLERATED}: {account.message}")
        self.account = account


def status(report: pytest.TestReport | pytest.CollectReport) -> Status | None:
    """Category, letter and word of a report, None where pytest's own are right."""
    word = getattr(report, WORD, None)
    if word == TOLERATED:
        return TOLERATED, "t", (TOLERATED.upper(), {"yellow": True})
    if word == INCONCLUSIVE:
        return "failed", "?", (INCONCLUSIVE.upper(), {"red": True})
    return None


def retell(report: pytest.TestReport, error: BaseException) -> None:
    """Make a report tell of an outcome in the words of its item, not by a traceback."""
    if isinstance(error, Tolerated):
        account = error.account
        report.outcome = "skipped"
        report.longrepr = (account.path, account.line, str(error))
        setattr(report, TEXT, as_text(account))
    elif isinstance(error, Failing):
        report.longrepr = in_pytest_style(error.account)
    else:
        return
    if error.word:
        setattr(report, WORD, error.word)


_TEXT = 4_000
_COMMAND = re.compile(r"^(\s*::)", re.MULTILINE)
_REASON = 300


def in_pytest_style(account: Account) -> ReprExceptionInfo:
    """The account as a failure that pytest prints, sends between processes and writes to JUnit."""
    place = ReprFileLocation(account.path, account.line, account.message)
    entry = ReprEntry([f"E   {account.message}"], None, None, place, "long")
    shown = ReprExceptionInfo(reprtraceback=ReprTraceback([entry], None, "long"), reprcrash=place)
    for title, text in account.sections:
        shown.addsection(title, text, "-")
    return shown


def as_text(account: Account) -> str:
    """The account's sections as plain text."""
    return "\n".join(f"--- {title} ---\n{text}" for title, text in account.sections)


def prompt_sections(case: Case) -> Iterator[tuple[str, str]]:
    """What was asked, and what the suite expects of the answer."""
    turns = case.messages
    yield (
        "prompt",
        "\n".join(
            shown(turn.content) if len(turns) == 1 else f"{turn.role}: {shown(turn.content)}"
            for turn in turns
        ),
    )
    if expected := "\n".join(_expected(case.expect)):
        yield "expected", expected


def answer_section(who: str, score: Score, attempt: Attempt) -> tuple[str, str]:
    """What a target answered, its score and why, under a title that says whose answer it is."""
    told = [f"answer of {who}", grade(score)]
    if score.repeat:
        told.insert(1, f"repeat {score.repeat + 1}")
    lines = [shown(attempt.text) if attempt.text else _nothing(attempt)]
    if attempt.state == "truncated":
        lines.append("[cut off at the token limit]")
    if said := why(score):
        lines.append(f"why: {said}")
    return ", ".join(told), "\n".join(lines)


def conversation_sections(who: str, found: RecordedCase) -> Iterator[tuple[str, str]]:
    """What a Python test said to a target last, and what it heard."""
    yield from prompt_sections(found.case)
    yield answer_section(who, found.score, found.attempt)


def grade(score: Score) -> str:
    """The score in a word or two."""
    if score.value is None:
        return score.status
    value = f"score {score.value:.3g}"
    return value if score.passed is None else f"{value}, {'pass' if score.passed else 'fail'}"


def why(score: Score) -> str:
    """The scorer's label and reason on one line."""
    label, reason = one_line(score.label, 80), one_line(score.reason, _REASON)
    return on_a_line(": ".join(filter(None, (label, reason))))


def shown(text: str) -> str:
    """The text with nothing hidden or active in it, cut where it is very long.

    That goes for a CI runner too, which takes a line that begins with `::`, or `##[` anywhere, for
    a command of its own.
    """
    cut = clip(text, _TEXT)
    told = _COMMAND.sub(r"| \1", cut.text).replace("##[", "## [")
    return f"{told}\n[{cut.more}]" if cut.more else told


def _nothing(attempt: Attempt) -> str:
    if attempt.failure is None:
        return "[an empty answer]"
    failure = attempt.failure
    code = f" {failure.status}" if failure.status is not None else ""
    return f"[the request failed ({failure.cause}{code}): {one_line(failure.detail, _REASON)}]"


def _expected(expect: Mapping[str, Any]) -> Iterator[str]:
    for key, value in expect.items():
        said = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        yield f"{one_line(key, 80)}: {one_line(said, _TEXT)}"
