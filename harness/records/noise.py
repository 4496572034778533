"""Noise: how far a target differs from itself when it is asked more than once."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from harness.records.base import Record
from harness.records.run import RunHeader
from harness.records.target import SAMPLING, Identity
from harness.records.verdict import Decision, Outcome


class SectionNoise(Record):
    """One section: the shares of its cases that are not the same in two askings.

    `flips` is the share that passes in one and fails in the other, `texts` the share whose text
    is another, both averaged over the pairs of askings, and over the repeats where an asking has
    several: each is held against the other asking's of the same number.
    """

    suite: str
    section: str
    cases: int = Field(ge=1)
    flips: float = Field(ge=0.0, le=1.0)
    texts: float = Field(ge=0.0, le=1.0)


class MetricNoise(Record):
    """One metric: its mean over the askings, and how far two of them are apart.

    `noise` is the root mean square of the differences between two askings, `largest` the largest
    of them, both in the metric's own unit.
    """

    metric: str
    value: float
    noise: float = Field(ge=0.0)
    largest: float = Field(ge=0.0)


class RuleNoise(Record):
    """One rule: how often each outcome came out, each pair of askings taken both ways.

    `flip_rate` is the share of the outcomes that are not the most common one.
    """

    metric: str | None = None
    require: str
    limit: float | None = None
    outcomes: dict[Outcome, int]
    flip_rate: float = Field(ge=0.0, le=1.0)


class Noise(Record):
    """`.harness/noise/<target>.json`: what the gate makes of a target held against itself.

    In each of the `askings` every case was put `repeats` times, as a gate does; `generation` is
    how one asking was made. `pairs` counts pairs of askings; each was judged both ways, so there
    are twice as many verdicts.
    """

    schema_version: Literal[1] = 1
    target: str
    run: str
    identity: Identity
    system_prompts: dict[str, str | None]
    suites: dict[str, str]
    generation: dict[str, Any]
    alpha: float
    askings: int = Field(ge=2)
    repeats: int = Field(ge=1)
    pairs: int = Field(ge=1)
    sections: tuple[SectionNoise, ...]
    metrics: tuple[MetricNoise, ...]
    rules: tuple[RuleNoise, ...]
    verdicts: dict[Decision, int]
    flip_rate: float = Field(ge=0.0, le=1.0)
    created: str = Field(min_length=1)

    def misfit(self, header: RunHeader) -> str:
        """What sets the run apart from what was measured, in words; empty where nothing does."""
        if self.target != header.target:
            return f"it is of `{self.target}`"
        if self.identity != header.identity:
            return "the model or its server is another"
        if any(self.suites.get(name) != digest for name, digest in header.suites.items()):
            return "the suites are others"
        prompts = header.system_prompts.items()
        if any(self.system_prompts.get(suite) != prompt for suite, prompt in prompts):
            return "the system prompt is another"
        if any(self.generation.get(name) != header.generation.get(name) for name in SAMPLING):
            return "the sampling settings are others"
        # The number of attempts, and of requests at once: either changes the noise.
        repeats = header.generation.get("repeats", 1)
        if self.repeats != repeats:
            attempts = "1 attempt" if self.repeats == 1 else f"{self.repeats} attempts"
            return f"it is of {attempts} a case, the run has {repeats}"
        ours, theirs = (each.get("concurrency") for each in (self.generation, header.generation))
        if ours != theirs:
            return f"it was measured with {ours} requests at once, the run had {theirs}"
        return ""

    def by_metric(self) -> dict[str, float]:
        """The noise of each metric by its full name, in the metric's own unit."""
        return {metric.metric: metric.noise for metric in self.metrics}
