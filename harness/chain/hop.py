"""One hop of a chain: whether two neighbouring links are the same model, and what speaks for it."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

from harness.chain import causes
from harness.chain.causes import Finding, gaps, share_beyond, unstable
from harness.chain.link import Answers, Link
from harness.targets.probes import TOLERANCES

Outcome = Literal["same", "different", "cannot tell"]
MARGIN = 0.5  # nats; beyond it the gate's own proofs speak of a contradiction
_TOO_MANY = 0.25  # of the probes

# What is found first explains what is found after it.
_ORDER = (
    "adapter not applied", "tokenizer", "template", "sampling default", "wrong merge", "precision",
    "context cut", "other weights",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """The probes of a hop; gaps in nats, None where a link gives no log-probabilities.

    `beyond` counts the probes whose gap is larger than `allowed`, without log-probabilities those
    that are answered by another text.
    """

    outcome: Outcome
    probes: int
    beyond: int
    same_texts: int
    allowed: float | None
    median: float | None
    largest: float | None
    noise: float | None


@dataclass(frozen=True, slots=True)
class MetricResult:
    """A metric at both ends of a hop, the difference and its one-sided bounds, in its unit."""

    metric: str
    outcome: Outcome
    before: float | None
    after: float | None
    estimate: float | None
    low: float | None
    high: float | None
    margin: float | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Hop:
    """The step from one link to the next; the first of the findings is the likeliest cause."""

    before: str
    after: str
    outcome: Outcome
    probes: ProbeResult
    metrics: tuple[MetricResult, ...]
    findings: tuple[Finding, ...]
    notes: tuple[str, ...] = ()

    @property
    def cause(self) -> str | None:
        """The likeliest cause of a difference."""
        return self.findings[0].cause if self.findings else None

    def as_json(self) -> dict[str, Any]:
        """The hop for programs."""
        return {**asdict(self), "cause": self.cause}


def compare_probes(
    before: Link, after: Link, margin: float, base: Answers | None = None
) -> ProbeResult:
    """How far the answers to the probes are apart, held against what may differ.

    Where both ends compute in the same known precision, rounding in another batch is all that is
    allowed; else the margin. `base` are the answers of the adapter's base.
    """
    ours, theirs = before.seen, after.seen
    if not ours.first or not theirs.first:
        asked = len(ours.first)
        outcome: Outcome = "different" if asked else "cannot tell"
        return ProbeResult(outcome, asked, asked, 0, None, None, None, None)
    same = sum(a.text == b.text for a, b in zip(ours.first, theirs.first, strict=True))
    count = len(ours.first)
    if not (ours.has_logprobs and theirs.has_logprobs):
        other = count - same
        outcome = "same" if not other else "different" if other > count / 2 else "cannot tell"
        return ProbeResult(outcome, count, other, same, None, None, None, None)
    own = [*gaps(ours.first, ours.again), *gaps(theirs.first, theirs.again)]
    noise = max((gap for gap in own if gap <= TOLERANCES.contradiction), default=0.0)
    effect = 0.0 if base is None else statistics.median(gaps(base, ours.first))
    allowed = allowance(before, after, margin, noise, effect)
    found = gaps(ours.first, theirs.first)
    beyond = sum(gap > allowed for gap in found)
    outcome = "different" if share_beyond(found, allowed) > _TOO_MANY else "same"
    return ProbeResult(
        outcome, count, beyond, same, allowed, statistics.median(found), max(found), noise
    )


def allowance(before: Link, after: Link, margin: float, noise: float, effect: float = 0.0) -> float:
    """The nats by which an answer may differ.

    `effect` is how far the adapter takes the answers from its base's. A merge in the same or an
    unknown precision may lose a quarter of it, or what rounding explains.
    """
    one, two = before.precision, after.precision
    rounding = TOLERANCES.threshold(TOLERANCES.rebatched, noise)
    merged = before.is_adapter and not after.is_adapter
    if merged and one != "float32" and (one == two or None in (one, two)):
        return min(margin, max(rounding, effect / 4)) if effect else margin
    return min(margin, rounding) if one is not None and one == two else margin


def judge(
    before: Link,
    after: Link,
    base: Answers | None,
    metrics: tuple[MetricResult, ...],
    margin: float = MARGIN,
) -> Hop:
    """The hop with its outcome and causes; `base` are the answers of the adapter's base."""
    probes = compare_probes(before, after, margin, base)
    allowed = margin if probes.allowed is None else probes.allowed
    worse = any(one.outcome == "different" for one in metrics)
    found = sorted(_facts(before, after, base, allowed, probes), key=_rank)
    differs = probes.outcome == "different" or worse
    if (
        differs
        and not any(one.cause != "context cut" for one in found)
        and (probes.outcome == "different" or not found)
    ):
        found = sorted([*found, causes.weights(before, after)], key=_rank)
    outcome: Outcome = "different" if differs or found else "same"
    if outcome == "same" and not _enough(probes, metrics):
        outcome = "cannot tell"
    return Hop(
        before.target, after.target, outcome, probes, metrics, tuple(found),
        tuple(_notes(before, after)),
    )  # fmt: skip


def _rank(finding: Finding) -> int:
    return _ORDER.index(finding.cause)


def _facts(
    before: Link, after: Link, base: Answers | None, allowed: float, probes: ProbeResult
) -> Iterator[Finding]:
    yield from causes.refusal(before, after)
    yield from causes.tokens(before, after)
    if before.seen.first and after.seen.first:
        yield from causes.not_applied(before, after, base)
        yield from causes.stops(before, after)
        if probes.outcome != "same" or unstable(after) > _TOO_MANY:
            yield from causes.sampling(before, after, allowed)
    yield from causes.merge_record(before, after)
    yield from causes.context_cut(before, after)


def _enough(probes: ProbeResult, metrics: tuple[MetricResult, ...]) -> bool:
    """Whether what was seen shows sameness: log-probabilities, or all metrics within margins."""
    if metrics and all(one.outcome == "same" for one in metrics):
        return True
    return probes.outcome == "same" and (
        not metrics or probes.allowed is None or probes.allowed < MARGIN or probes.beyond == 0
    )


def _notes(before: Link, after: Link) -> Iterator[str]:
    """What differs and need not change an answer."""
    if before.precision != after.precision:
        yield f"precision {before.precision or 'unknown'} → {after.precision or 'unknown'}"
    one, two = before.seen.context, after.seen.context
    if one is not None and two is not None and one != two:
        yield f"context {one} → {two} tokens"
    here, there = before.files, after.files
    if None not in (here.template, there.template) and here.template != there.template:
        same = here.rendered and here.rendered == there.rendered
        yield "another chat template file" + (", which renders the same" if same else "")
    if not after.seen.has_logprobs:
        yield f"`{after.target}` gives no log-probabilities: texts are compared"
    if not after.seen.counts.get("short"):
        yield f"`{after.target}` counts no tokens: template and tokenizer show in answers alone"
