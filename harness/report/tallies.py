"""How many cases an outcome has, where each may have been asked more than once."""

from __future__ import annotations

from collections.abc import Sequence

from harness.records.comparison import Comparison, PairedCase
from harness.report import numbers
from harness.report.model import Tally


def repeats_of(comparison: Comparison) -> int:
    """How often each case was asked, at least once."""
    planned = int(comparison.candidate.header.generation.get("repeats", 1))
    return max([planned, *(case.repeat + 1 for case in comparison.cases)])


def tally(answers: Sequence[PairedCase], repeats: int) -> Tally:
    """How many different cases these answers belong to, and with repeats how many they are."""
    told = numbers.counted(len(answers), "answer") if answers and repeats > 1 else ""
    return Tally(len({answer.path for answer in answers}), told)
