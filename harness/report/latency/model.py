"""What the latency section shows: display-ready strings and plain numbers, in seconds.

Every string in here has passed `text.visible`. In plain numbers infinity is what failures and
timeouts take.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.records.latency import Arm
from harness.records.verdict import Outcome
from harness.report.model import RuleView


@dataclass(frozen=True, slots=True)
class Span:
    """A value and its interval, as text."""

    value: str
    bounds: str


@dataclass(frozen=True, slots=True)
class Extent:
    """A value and its bounds, as numbers."""

    low: float
    estimate: float
    high: float


@dataclass(frozen=True, slots=True)
class MetricRow:
    """One percentile of both arms; `shortage` is empty where it is certifiable."""

    name: str
    candidate: Span
    baseline: Span
    ratio: Span
    control: Span
    shortage: str


@dataclass(frozen=True, slots=True)
class FigureRow:
    """One figure of the arms, in their order; `hint` says what it is."""

    name: str
    hint: str
    cells: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class RatioRow:
    """One line of the drawing of ratios.

    `limit` is None where no rule looks at it, `outcome` also where another load decided the rule.
    """

    label: str
    numbers: str
    ratio: Extent
    control: Extent
    limit: float | None
    outcome: Outcome | None
    certifiable: bool


@dataclass(frozen=True, slots=True)
class Curve:
    """An arm's points: (TTFT, share) or (seconds since the first block, median TTFT)."""

    arm: Arm
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """Where one metric lies to its rule's limit, in words; `outcome` as in a `RatioRow`."""

    outcome: Outcome | None
    told: str


@dataclass(frozen=True, slots=True)
class LoadView:
    """What was found at one load; `slo` is the limit on TTFT in seconds.

    `unfinished` says of each arm with failures what they do to its curve. What is not `trusted`
    is drawn and judged nothing.
    """

    title: str
    confidence: str
    facts: str
    findings: tuple[Finding, ...]
    problems: tuple[str, ...]
    notes: tuple[str, ...]
    families: tuple[tuple[str, tuple[MetricRow, ...]], ...]
    arms: tuple[Arm, ...]
    figures: tuple[FigureRow, ...]
    ecdf: tuple[Curve, ...]
    course: tuple[Curve, ...]
    ratios: tuple[RatioRow, ...]
    slo: float | None
    unfinished: tuple[str, ...]
    trusted: bool


@dataclass(frozen=True, slots=True)
class LatencyView:
    """The whole section; `outcome` is None where no rule asks for latency.

    `infinite` says whether anything in it is beyond every bound.
    """

    candidate: str
    baseline: str
    outcome: Outcome | None
    symbol: str
    meaning: str
    problems: tuple[str, ...]
    rules: tuple[RuleView, ...]
    loads: tuple[LoadView, ...]
    facts: tuple[tuple[str, str], ...]
    infinite: bool
