"""A summary: what a run amounts to, counted in one pass over its records."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from pydantic import Field

from harness.records.attempt import Attempt, Score
from harness.records.base import Record
from harness.records.cost import TokenCounter, Tokens


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

    def __str__(self) -> str:
        return ", ".join(f"{count} {what}" for what, count in self)


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


@dataclass(frozen=True, slots=True)
class RecordedTimes:
    """Times of a run's attempts in seconds, and how many of them were measured.

    Percentiles are nearest-rank; a failed request ranks as infinity; a reused attempt has no time.
    Those until the answer are there where answers began with thinking; an answer that is all
    thinking ranks as infinity.
    """

    ttft_p50: float | None
    ttft_p95: float | None
    tta_p50: float | None
    tta_p95: float | None
    e2e_p50: float | None
    e2e_p95: float | None
    timed: int
    reused: int
    retried: int


def recorded_times(attempts: Collection[Attempt]) -> RecordedTimes:
    """The times that were recorded while the attempts were made."""
    live = [attempt for attempt in attempts if attempt.reused_from is None]
    lost = [math.inf for attempt in live if attempt.status == "failed"]
    times = [attempt.timing for attempt in live if attempt.status == "answered" and attempt.timing]
    ttft = sorted([time.ttft for time in times if time.ttft is not None] + lost)
    until = _until_answer(live)
    tta = sorted(until + lost) if until else []
    e2e = sorted([time.e2e for time in times] + lost)
    return RecordedTimes(
        ttft_p50=nearest_rank(ttft, 0.5),
        ttft_p95=nearest_rank(ttft, 0.95),
        tta_p50=nearest_rank(tta, 0.5),
        tta_p95=nearest_rank(tta, 0.95),
        e2e_p50=nearest_rank(e2e, 0.5),
        e2e_p95=nearest_rank(e2e, 0.95),
        timed=len(times),
        reused=len(attempts) - len(live),
        retried=sum(attempt.tries > 1 for attempt in attempts),
    )


def _until_answer(attempts: Sequence[Attempt]) -> list[float]:
    """The seconds until each answer, infinite where it never came; none where none thinks."""
    answered = [one for one in attempts if one.status == "answered" and one.timing]
    if not any(one.timing.thinks for one in answered if one.timing):
        return []
    # What earlier versions kept of an answer with thinking does not say when the answer began.
    known = [one for one in answered if one.timing and (one.timing.thinks or not one.reasoning)]
    return [math.inf if one.tta is None else one.tta for one in known]


def nearest_rank(ordered: Sequence[float], q: float) -> float | None:
    """The nearest-rank quantile of sorted values, an observed one; None of nothing."""
    return ordered[max(0, math.ceil(q * len(ordered)) - 1)] if ordered else None


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
