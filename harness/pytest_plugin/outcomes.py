"""Outcomes: what an item raises, and the words and letters that pytest has for it."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from _pytest.outcomes import Skipped

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
    from harness.pytest_plugin.shown import as_text, in_pytest_style

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
