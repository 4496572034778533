"""What a report shows: display-ready strings and plain numbers, safe to print anywhere.

Every string in here has passed `text.visible`, so no control character, lone surrogate or
bidirectional override reaches a renderer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from harness.records.verdict import Decision, Outcome

if TYPE_CHECKING:
    from harness.report.latency.model import LatencyView

PlotKind = Literal["difference", "share", "time", "ratio"]


Fate = Literal[
    "new_failure",
    "worse",
    "fixed",
    "better",
    "still_failing",
    "not_comparable",
    "changed",
    "unchanged",
    "same",
]


@dataclass(frozen=True, slots=True)
class PlotRow:
    """One line of the forest plot, on the scale of its panel: points, percent, ms or a ratio.

    An infinite end is drawn at the end of the axis.
    """

    kind: PlotKind
    label: str
    requirement: str
    numbers: str
    outcome: Outcome
    estimate: float
    low: float | None
    high: float | None
    limit: float | None
    good_above: bool


@dataclass(frozen=True, slots=True)
class RuleView:
    """One row of the rules table."""

    name: str
    metric: str
    requirement: str
    outcome: Outcome
    symbol: str
    candidate: str
    baseline: str
    estimate: str
    interval: str
    limit: str
    p_value: str
    n: str
    groups: str
    reason: str
    warning: str
    noise: str
    plot: PlotRow | None


@dataclass(frozen=True, slots=True)
class RegressionRow:
    """One metric that is worse than the baseline's; the interval is not corrected, the p is."""

    metric: str
    difference: str
    interval: str
    p_value: str
    n: str
    groups: str


@dataclass(frozen=True, slots=True)
class RegressionsView:
    """The metrics that are worse than the baseline's; `told` says how they were looked for."""

    told: str
    rows: tuple[RegressionRow, ...]


@dataclass(frozen=True, slots=True)
class CountsView:
    """What became of one run's attempts, and how long they took.

    `repeats` says whether asking again gave another text, and is empty where nothing was.
    """

    role: str
    target: str
    planned: str
    scored: str
    unscored: str
    failed: str
    balanced: bool
    truncated: str
    empty: str
    reused: str
    retried: str
    ttft_p50: str
    ttft_p95: str
    e2e_p50: str
    e2e_p95: str
    timed: str
    repeats: str


@dataclass(frozen=True, slots=True)
class CostView:
    """What one run's answers took; `unknown` says how many came without usage, empty if none."""

    role: str
    answers: str
    tokens_in: str
    tokens_out: str
    cost: str
    per_thousand: str
    unknown: str


@dataclass(frozen=True, slots=True)
class MetricView:
    """One metric of a section on both sides; `direction` is `better`, `worse` or `same`."""

    name: str
    candidate: str
    baseline: str
    difference: str
    direction: Literal["better", "worse", "same"]


@dataclass(frozen=True, slots=True)
class Tally:
    """How many cases; `answers` says how many of their answers, and is empty without repeats."""

    cases: int
    answers: str


@dataclass(frozen=True, slots=True)
class SectionView:
    """What changed in one section.

    With repeats a case is counted under every outcome that one of its answers has.
    """

    name: str
    scorer: str
    metrics: tuple[MetricView, ...]
    cases: Tally
    new_failures: Tally
    new_critical: int
    fixed: Tally
    still_failing: Tally
    still_passing: Tally
    not_comparable: Tally


@dataclass(frozen=True, slots=True)
class Clip:
    """A text, cut where `more` is not empty; `more` says how much is left out."""

    text: str
    more: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of an answer; `changed` where the other answer does not have these words."""

    text: str
    changed: bool


@dataclass(frozen=True, slots=True)
class TurnView:
    """One message of the conversation."""

    role: str
    content: Clip


@dataclass(frozen=True, slots=True)
class AnswerView:
    """One side's answer and what the scorer made of it.

    `parts` is the answer again with the words that the other side does not have told apart; it is
    empty where none are marked.
    """

    answer: Clip
    parts: tuple[Part, ...]
    note: str
    verdict: str
    passed: bool | None
    value: str
    label: str
    reason: str
    repeat_of_other: bool


@dataclass(frozen=True, slots=True)
class CaseView:
    """One case and repeat on both sides; `anchor` is its id, `expected` empty if nothing is.

    `number` is the same for all repeats of a case, `repeat` is empty where there is only one.
    `difference` says why no words are marked though the answers differ, or is empty.
    """

    anchor: str
    number: int
    path: str
    section: str
    repeat: str
    group: str
    tags: tuple[str, ...]
    critical: bool
    preview: str
    turns: tuple[TurnView, ...]
    expected: str
    candidate: AnswerView
    baseline: AnswerView
    difference: str


@dataclass(frozen=True, slots=True)
class CaseGroup:
    """Cases with the same fate; with repeats a case is in it once for each such answer."""

    key: Fate
    title: str
    hint: str
    tally: Tally
    cases: tuple[CaseView, ...]


@dataclass(frozen=True, slots=True)
class PromptView:
    """A suite's system prompt; `whose` says which side it was given to."""

    suite: str
    whose: str
    text: Clip


@dataclass(frozen=True, slots=True)
class FactTable:
    """Facts of both runs, side by side: (name, candidate, baseline)."""

    title: str
    rows: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class ReportView:
    """The whole report.

    `reason` is the verdict's own and `headline` says the same in the report's units; `created` is
    for reading and `stamp` the same moment in ISO 8601. `repeats` is how often each case was asked.
    `noise` is a line on the rules' noise, code in backticks, empty where it was not measured.
    `latency` is None where it was not measured.
    """

    verdict: Decision
    symbol: str
    meaning: str
    reason: str
    headline: str
    deciding: RuleView | None
    exit_code: int
    candidate: str
    baseline: str
    created: str
    stamp: str
    alpha: str
    confidence: str
    rules: tuple[RuleView, ...]
    rules_passed: int
    noise: str
    regressions: RegressionsView
    repeats: int
    problems: tuple[str, ...]
    new_critical: tuple[str, ...]
    counts: tuple[CountsView, ...]
    costs: tuple[CostView, ...]
    sections: tuple[SectionView, ...]
    prompts: tuple[PromptView, ...]
    groups: tuple[CaseGroup, ...]
    provenance: tuple[FactTable, ...]
    hashes: tuple[tuple[str, str], ...]
    latency: LatencyView | None = None

    def group(self, key: str) -> CaseGroup | None:
        """The cases with one fate, or None where there are none."""
        return next((group for group in self.groups if group.key == key), None)
