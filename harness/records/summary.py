"""A summary: what a run amounts to, counted in one pass over its records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from pydantic import Field

from harness.records.attempt import Attempt
from harness.records.base import Record
from harness.records.cost import TokenCounter, Tokens
from harness.records.score import Score


class Accounting(Record):
    """planned = scored + unscored + failed, always."""

    planned: int = Field(ge=0)
    scored: int = Field(ge=0)
    unscored: int = Field(ge=0)
    failed: int = Field(ge=0)

    @property
    def balanced(self) -> bool:
        """Whether every planned attempt is accounted for."""
        return self.planned == self.scored + self.unscored + self.failed


class Repeats(Record):
    """In how many cases the repeats' texts differ, and how many have two answers or more."""

    differ: int = Field(default=0, ge=0)
    cases: int = Field(default=0, ge=0)


class Summary(Record):
    """Counts and metrics of a whole run.

    `states` are those of the attempts, zero counts left out; `metrics` go by their full names;
    `trouble` is what most often kept answers from a score, empty if nothing did.
    """

    accounting: Accounting
    states: dict[str, int]
    metrics: dict[str, float]
    repeats: Repeats
    tokens: Tokens
    trouble: str


class Tally:
    """Counts scores and attempts one by one, in any order.

    Without `repeats`, no case has two answers that could differ.
    """

    def __init__(self, planned: int, metrics: Sequence[str], *, repeats: bool) -> None:
        self._planned = planned
        self._repeats = repeats
        self._tokens = TokenCounter()
        self._sums = {metric: [0.0, 0.0] for metric in metrics}
        self._status: Counter[str] = Counter()
        self._states: Counter[str] = Counter()
        self._troubles: Counter[str] = Counter()
        # By case, the hash of its first text and whether another differs; None after one answer.
        self._texts: dict[tuple[str, str, str], tuple[int, bool | None]] = {}

    def add_score(self, score: Score) -> None:
        """Count a score."""
        self._status[score.status] += 1
        if score.status != "scored":
            self._troubles[f"{score.status}: {score.reason}"] += 1
        for metric, term in score.terms.items():
            total = self._sums.get(f"{score.suite}.{score.section}.{metric}")
            if total is not None:
                total[0] += term.num
                total[1] += term.den

    def add_attempt(self, attempt: Attempt) -> None:
        """Count an attempt."""
        self._states[attempt.state] += 1
        self._tokens.add(attempt)
        if self._repeats and attempt.text is not None:
            place = attempt.suite, attempt.section, attempt.case
            text = hash(attempt.text)
            first, differs = self._texts.get(place, (text, None))
            known = place in self._texts
            self._texts[place] = first, (bool(differs) or text != first) if known else None

    def summary(self) -> Summary:
        """The summary of all that was counted."""
        repeated = [differs for _, differs in self._texts.values() if differs is not None]
        trouble = ""
        if self._troubles:
            reason, count = self._troubles.most_common(1)[0]
            trouble = f"{count} {reason}"
        return Summary(
            accounting=Accounting(
                planned=self._planned,
                scored=self._status["scored"],
                unscored=self._status["unscored"],
                failed=self._status["failed"],
            ),
            states=dict(self._states),
            metrics={name: num / den for name, (num, den) in self._sums.items() if den},
            tokens=self._tokens.tokens(),
            repeats=Repeats(differ=sum(repeated), cases=len(repeated)),
            trouble=trouble,
        )
