"""Latency: how it is to be measured, what is measured of both arms, and what comes of it.

Times are in seconds.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from harness.records.attempt import Failure, Timing
from harness.records.base import Record
from harness.records.deployment import Deployments
from harness.records.load import Load
from harness.records.run import AdapterProof
from harness.records.target import Identity


class Slo(Record):
    """What a request must keep to count as good; at least one of the three."""

    ttft: float | None = Field(default=None, gt=0.0)
    tta: float | None = Field(default=None, gt=0.0, exclude_if=lambda limit: limit is None)
    e2e: float | None = Field(default=None, gt=0.0)

    @model_validator(mode="after")
    def _says_something(self) -> Slo:
        if (self.ttft, self.tta, self.e2e) == (None, None, None):
            raise ValueError("give `ttft`, `tta`, `e2e` or several of them, in seconds")
        return self


_NUMBERS = ("requests", "rounds", "max_tokens")
# The fewest that anything can be told from.
_REQUESTS, _ROUNDS = 40, 10


class LatencySettings(Record):
    """`latency:` of the configuration: what is asked, how often, and how it is to be answered.

    `requests` are those that count, of each arm at each load; `rounds` are how often the arms take
    turns. With `length: fixed` every answer is `max_tokens` long, where the server can be told.
    `servers` says how two servers are up, where the targets are not on one; `auto` goes by memory.
    """

    loads: tuple[Load, ...] = Field(default=(Load(kind="poisson", share=0.65),), min_length=1)
    requests: int = Field(default=1000, ge=_REQUESTS)
    rounds: int = Field(default=20, ge=_ROUNDS)
    max_tokens: int = Field(default=64, ge=1)
    length: Literal["fixed", "natural"] = "fixed"
    slo: Slo | None = None
    suites: tuple[str, ...] = ()
    seed: int = Field(default=0, ge=0)
    # Without the key settings stay those that earlier measurements hold.
    servers: Literal["auto", "side_by_side", "in_turns"] = Field(
        default="auto", exclude_if=lambda mode: mode == "auto"
    )
    # Whether the client asks the system to go before others while it measures.
    client_priority: Literal["usual", "raised"] = Field(
        default="usual", exclude_if=lambda wanted: wanted == "usual"
    )

    @model_validator(mode="before")
    @classmethod
    def _limits_together(cls, given: Any) -> Any:
        """Tell all that is too small at once: one number depends on another."""
        if not isinstance(given, dict):
            return given
        values = {key: given.get(key, cls.model_fields[key].default) for key in _NUMBERS}
        if not all(type(value) is int for value in values.values()):
            return given
        twice = 2 * max(values["rounds"], _ROUNDS)
        least = {"requests": max(_REQUESTS, twice), "rounds": _ROUNDS, "max_tokens": 1}
        wrong = [key for key, value in values.items() if value < least[key]]
        if len(wrong) > 1 or (values["requests"] < _REQUESTS < twice):
            words = (f"{key} must be at least {least[key]}, not {values[key]}" for key in wrong)
            raise ValueError("; ".join(words))
        return given

    @model_validator(mode="after")
    def _fits(self) -> LatencySettings:
        if self.requests < 2 * self.rounds:
            raise ValueError("requests: must be at least twice the rounds")
        if len({str(load) for load in self.loads}) < len(self.loads):
            raise ValueError("loads: one is named twice")
        return self


# `control` is the baseline once more: what differs between the two is noise.
Arm = Literal["candidate", "baseline", "control"]
ARMS: tuple[Arm, ...] = ("candidate", "baseline", "control")

LATENCY_PREFIX = "latency."
_LATENCY = re.compile(r"latency\.(ttft|tta|service_ttft|itl|tpot|e2e)_p(50|90|95|99)")

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
    """What the server reported in a block: token counts, cache hits, compiling in its log."""

    prompt_tokens: int | None = None
    generation_tokens: int | None = None
    cache_hit_share: float | None = None
    ttft_mean: float | None = None
    compiled: tuple[str, ...] = ()


class Block(Record):
    """Requests of one arm in a row; `place` is its turn in the round, `began` is Unix time.

    `mac` authenticates it where the project has a key.
    """

    load: Load
    round: int
    place: int
    arm: Arm
    began: float
    seconds: float
    samples: tuple[Sample, ...]
    client: ClientHealth
    server: ServerHealth = ServerHealth()
    mac: str | None = None


class Pace(Record):
    """How a load is put to the server: at which rate, with how many requests that do not count.

    `opening` ones come first in a block, `closing` ones last. `capacity` is what the baseline
    answered a second when it was asked for all it could. `late` is by how many seconds the client
    may be late in a round that is not measured again, from a round that does not count.
    """

    load: Load
    opening: int = Field(ge=0)
    closing: int = Field(default=0, ge=0)
    rate: float | None = None
    capacity: float | None = None
    late: float | None = Field(default=None, exclude_if=lambda seconds: seconds is None)


class Measurement(Record):
    """The header of a measurement; its blocks lie beside it.

    `models` are the arms' names on the server; `servers` are there where they are on two. A
    `salted` one keeps the prefix caches of blocks apart, otherwise each block's prompts are put to
    the server once before it. `fixed` says that the server was told how long answers are. `stopped`
    is after how many rounds of a load it could end before all were measured. A finished one is
    `sealed` by the digest of its blocks. The `nonce` is drawn when a measurement begins, so that no
    block counts in another of its name.
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
    servers: Deployments | None = Field(default=None, exclude_if=lambda servers: servers is None)
    alpha: float = Field(gt=0.0, lt=0.5)
    metrics: tuple[str, ...] = ()
    stopped: dict[str, int] = Field(default_factory=dict)
    finished: bool = False
    sealed: str | None = None
    nonce: str | None = Field(default=None, exclude_if=lambda nonce: nonce is None)
    mac: str | None = None
    config_digest: str
    packages: dict[str, str] = Field(default_factory=dict)
    host: dict[str, str] = Field(default_factory=dict)
    created: str

    def pace(self, load: Load) -> Pace | None:
        """How the load is put to the server, once that is known."""
        return next((pace for pace in self.paces if pace.load == load), None)


class Bounded(Record):
    """An estimate with its two one-sided bounds, each None where it is beyond every bound."""

    # A seal leaves out what is None.
    estimate: Quantity = None
    low: Quantity = None
    high: Quantity = None


class Charged(Record):
    """The candidate's percentile and the ratio, were all of the client's lateness on one side."""

    candidate: Bounded
    ratio: Bounded


class LatencyMetric(Record):
    """A percentile of both arms at one load, their ratio, and that of the control to the baseline.

    It is certifiable where each arm has as many counted requests as are `needed`. Where the client
    was late, `fastest` and `slowest` are what the candidate may have been without that.
    """

    metric: str
    candidate: Bounded
    baseline: Bounded
    ratio: Bounded
    control: Bounded
    n: int
    needed: int
    fastest: Charged | None = Field(default=None, exclude_if=lambda charged: charged is None)
    slowest: Charged | None = Field(default=None, exclude_if=lambda charged: charged is None)

    def charged(self, *, slowest: bool) -> LatencyMetric | None:
        """The metric with the lateness against the candidate, or for it; None where it is open."""
        found = self.slowest if slowest else self.fastest
        if found is None:
            return None
        return self.model_copy(update={"candidate": found.candidate, "ratio": found.ratio})

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

    `alpha` is the level of each bound: what looks before the end have left. `late` says where the
    client was late, which is charged against what a rule says.
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
    late: tuple[str, ...] = Field(default=(), exclude_if=lambda lines: not lines)


class LatencySection(Record):
    """The latency of a candidate against its baseline, as the verdict and the report carry it.

    `servers` are there where deployments were compared: targets on two servers.
    """

    measurement: str
    settings: LatencySettings
    servers: Deployments | None = Field(default=None, exclude_if=lambda servers: servers is None)
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
