"""Latency: what is measured of both arms, and what comes of it. Times are in seconds."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from harness.records.attempt import Failure, Timing
from harness.records.base import Record
from harness.records.latency_settings import LatencySettings, Load
from harness.records.run import AdapterProof
from harness.records.target import Identity

# `control` is the baseline once more: what differs between the two is noise.
Arm = Literal["candidate", "baseline", "control"]
ARMS: tuple[Arm, ...] = ("candidate", "baseline", "control")

LATENCY_PREFIX = "latency."
_LATENCY = re.compile(r"latency\.(ttft|service_ttft|itl|tpot|e2e)_p(50|90|95|99)")

# A number, or None where it is beyond every bound: failures and timeouts take for ever.
Quantity = Annotated[float | None, Field(ge=0.0)]


class Sample(Record):
    """One request: when it was due, from the block's start on, and what came of it.

    `tokens` are the server's counts, None where it gives none; `first_tokens` are those that the
    first chunk with content brought. `late` is by how much this process took it up after it was
    due. An `uncounted` request belongs to the wave after a change of arms, or keeps the load up
    while the last of those that count are answered.
    """

    prompt: int
    due: float
    timing: Timing | None = None
    tokens: int | None = None
    first_tokens: int | None = None
    prompt_tokens: int | None = None
    failure: Failure | None = None
    late: float = 0.0
    uncounted: bool = False


class ClientHealth(Record):
    """How well the client kept time in a block.

    `lag` is how late its event loop came back from sleeps, `gc` how long the collector stopped it,
    `cpu` the share of one processor that it used.
    """

    lag_p99: float
    lag_longest: float
    gc_longest: float
    gc_total: float
    cpu: float


class ServerHealth(Record):
    """What the server told of itself in a block: token counts, cache hits, compiling in its log."""

    prompt_tokens: int | None = None
    generation_tokens: int | None = None
    cache_hit_share: float | None = None
    ttft_mean: float | None = None
    compiled: tuple[str, ...] = ()


class Block(Record):
    """Requests of one arm in a row; `place` is its turn in the round, `began` is Unix time."""

    load: Load
    round: int
    place: int
    arm: Arm
    began: float
    seconds: float
    samples: tuple[Sample, ...]
    client: ClientHealth
    server: ServerHealth = ServerHealth()


class Pace(Record):
    """How a load is put to the server: at which rate, with how many requests that do not count.

    `opening` ones come first in a block, `closing` ones last. `capacity` is what the baseline
    answered a second when it was asked for all it could.
    """

    load: Load
    opening: int = Field(ge=0)
    closing: int = Field(default=0, ge=0)
    rate: float | None = None
    capacity: float | None = None


class Measurement(Record):
    """The header of a measurement; its blocks lie beside it.

    `models` are the arms' names on the server. A `salted` one keeps the prefix caches of blocks
    apart, otherwise each block's prompts are put to the server once before it. `fixed` says that
    the server was told how long answers are. `stopped` is after how many rounds of a load it
    could end before all were measured.
    """

    id: str
    candidate: str
    baseline: str
    models: dict[Arm, str]
    identities: dict[Arm, Identity]
    settings: LatencySettings
    generation: dict[str, Any]
    suites: dict[str, str]
    salted: bool
    fixed: bool
    paces: tuple[Pace, ...] = ()
    adapter_proof: AdapterProof | None = None
    alpha: float = Field(gt=0.0, lt=0.5)
    metrics: tuple[str, ...] = ()
    stopped: dict[str, int] = Field(default_factory=dict)
    finished: bool = False
    config_digest: str
    packages: dict[str, str] = Field(default_factory=dict)
    host: dict[str, str] = Field(default_factory=dict)
    created: str

    def pace(self, load: Load) -> Pace | None:
        """How the load is put to the server, once that is known."""
        return next((pace for pace in self.paces if pace.load == load), None)


class Bounded(Record):
    """An estimate with its two one-sided bounds, each None where it is beyond every bound."""

    estimate: Quantity
    low: Quantity
    high: Quantity


class LatencyMetric(Record):
    """A percentile of both arms at one load, their ratio, and that of the control to the baseline.

    It is certifiable where each arm has as many counted requests as are `needed`.
    """

    metric: str
    candidate: Bounded
    baseline: Bounded
    ratio: Bounded
    control: Bounded
    n: int
    needed: int

    @property
    def certifiable(self) -> bool:
        """Whether there are requests enough for a rule to pass on it."""
        return self.n >= self.needed


class ArmFigures(Record):
    """What one arm did at one load, the opening waves left out.

    `goodput` is the share of its requests that kept the SLO.
    """

    arm: Arm
    requests: int
    failed: int
    failures: dict[str, int] = Field(default_factory=dict)
    error_rate: Bounded
    goodput: Bounded | None = None
    requests_per_second: float
    tokens_per_second: float | None = None
    longest_gap: Quantity = None
    tokens_mean: float | None = None


class BlockMedian(Record):
    """The median TTFT of a block, for the course over time; `at` counts from the first block."""

    arm: Arm
    round: int
    at: float
    ttft: Quantity


class LoadResult(Record):
    """What was found at one load; `ecdf` holds the arms' TTFT at evenly spaced shares.

    `alpha` is the level of each bound: what looks before the end have left.
    """

    load: Load
    alpha: float = 0.05
    rate: float | None = None
    rounds: int
    metrics: tuple[LatencyMetric, ...]
    arms: tuple[ArmFigures, ...]
    medians: tuple[BlockMedian, ...] = ()
    ecdf: dict[Arm, tuple[Quantity, ...]] = Field(default_factory=dict)
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class LatencySection(Record):
    """The latency of a candidate against its baseline, as the verdict and the report carry it."""

    measurement: str
    settings: LatencySettings
    alpha: float
    loads: tuple[LoadResult, ...]
    stopped_early: bool = False
    digest: str

    @model_validator(mode="before")
    @classmethod
    def _as_once_written(cls, given: Any) -> Any:
        # Sections once had problems of their own, which none ever was: all are a load's.
        if isinstance(given, dict) and given.get("problems") == []:
            return {name: value for name, value in given.items() if name != "problems"}
        return given


def is_latency(metric: str | None) -> bool:
    """Whether a metric's full name is that of a percentile of a time."""
    return metric is not None and _LATENCY.fullmatch(metric) is not None
