"""A server for latency measurements in simulated time, with a candidate as slow as it is told.

Times to the first token are lognormal around 200 ms, moved in common by a drift of the server and,
from block to block, by chance. Hours of measuring are over in seconds.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, Self, cast

import numpy as np

from harness.client.protocol import Answer, ChatRequest, Failed, Reply
from harness.client.vigil import Vigil
from harness.clock import Clock
from harness.journal.measurement import MeasurementFolder
from harness.records.attempt import Failure, Timing, Usage
from harness.records.latency import ARMS, Block, ClientHealth, LatencySettings, ServerHealth
from harness.records.measurement import Measurement
from harness.records.plan import Plan
from harness.records.suite import Message
from harness.records.target import Generation, Identity
from harness.stages.latency.arms import ArmPlan, Wishes
from harness.stages.latency.rounds import Measuring
from harness.stages.latency.server import ServerWatch
from tests.client.simulated import SimulatedClock

CANDIDATE, BASELINE = "tuned", "base"
TTFT, SPREAD, GAP, TOKENS = 0.2, 0.25, 0.02, 16
WANDER, BLOCK_SPREAD = 0.05, 0.02


@dataclass(slots=True)
class Behaviour:
    """What is different about an arm: how many times slower, and in which share of its requests."""

    times: float = 1.0
    tail_share: float = 0.0
    tail_times: float = 1.0
    length: float = 1.0
    failing: float = 0.0


@dataclass(slots=True)
class VirtualServer:
    """Answers as fast as the arm asked for does; it is frozen whenever `frozen` says until when."""

    clock: Clock
    behaviours: dict[str, Behaviour]
    seed: int
    frozen: Callable[[float], float] = lambda now: now
    _draw: np.random.Generator = field(init=False)
    _phase: float = field(init=False)
    _salts: dict[object, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._draw = np.random.default_rng(self.seed)
        self._phase = float(self._draw.uniform(0.0, 2.0 * math.pi))

    async def ask(self, request: ChatRequest, *, intended: float | None = None) -> Reply:
        """The reply after as long as it takes."""
        sent = self.clock.now()
        start = sent if intended is None else intended
        how = self.behaviours[request.model]
        begin = self.frozen(sent)
        common = math.exp(WANDER * math.sin(begin / 300.0 + self._phase) + self._block(request))
        first = TTFT * common * how.times * math.exp(SPREAD * self._draw.standard_normal())
        if self._draw.random() < how.tail_share:
            first *= how.tail_times
        tokens = max(2, round(TOKENS * how.length))
        gaps = GAP * common * self._draw.gamma(20.0, 1.0 / 20.0, size=tokens - 1)
        chunks = begin + first - start + np.concatenate([[0.0], np.cumsum(gaps)])
        fails = self._draw.random() < how.failing
        await self.clock.sleep(max(0.0, start + float(chunks[0 if fails else -1]) - sent))
        done = self.clock.now() - start
        if fails:
            failure = Failure(cause="http", detail="HTTP 500", status=500)
            return Failed(failure, Timing(sent=sent - start, done=done), 1)
        timing = Timing(sent=sent - start, chunks=tuple(chunks.tolist()), done=done)
        usage = Usage(prompt_tokens=20, completion_tokens=tokens)
        return Answer("so", None, "stop", usage, timing, 1, request.model)

    def _block(self, request: ChatRequest) -> float:
        salt = request.extra.get("cache_salt")
        if salt not in self._salts:
            self._salts[salt] = BLOCK_SPREAD * float(self._draw.standard_normal())
        return self._salts[salt]


class Silent(ServerWatch):
    """A watch over a server that tells nothing of itself."""

    def __init__(self) -> None: ...

    async def look(self) -> Any:
        """Nothing."""

    def health(self, before: Any, after: Any) -> ServerHealth:  # noqa: ARG002 - the watch's own
        """Nothing either."""
        return ServerHealth()


class Asleep(Vigil):
    """A vigil that sees nothing: where time is simulated, nobody can be late."""

    async def __aenter__(self) -> Self:
        """Begin."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """End."""

    def health(self) -> ClientHealth:
        """A client that was never late."""
        return ClientHealth(lag_p99=0.0, lag_longest=0.0, gc_longest=0.0, gc_total=0.0, cpu=0.0)


class Memory(MeasurementFolder):
    """A measurement that is kept in memory."""

    def __init__(self) -> None:
        self.kept: list[Block] = []
        self.head: Measurement | None = None

    def header(self) -> Measurement | None:
        """The header."""
        return self.head

    def write_header(self, header: Measurement) -> None:
        """Keep the header."""
        self.head = header

    def blocks(self) -> tuple[Block, ...]:
        """The blocks."""
        return tuple(self.kept)

    def keep(self, block: Block, load: int) -> None:  # noqa: ARG002 - the folder's own
        """Keep a block."""
        self.kept.append(block)


def header(settings: LatencySettings, metrics: tuple[str, ...], alpha: float) -> Measurement:
    """The header of a measurement that begins."""
    identities = {
        arm: Identity(server="virtual", server_version="1", model=_model(arm)) for arm in ARMS
    }
    return Measurement(
        id="virtual",
        candidate=CANDIDATE,
        baseline=BASELINE,
        models={arm: _model(arm) for arm in ARMS},
        identities=identities,
        settings=settings,
        generation=Generation().model_dump(mode="json"),
        suites={},
        salted=True,
        fixed=False,
        alpha=alpha,
        metrics=metrics,
        config_digest="",
        created="2026-01-01T00:00:00Z",
    )


def _model(arm: str) -> str:
    return CANDIDATE if arm == "candidate" else BASELINE


def measuring(server: VirtualServer, clock: SimulatedClock) -> Measuring:
    """The arms on the server, ready to be asked."""
    message = Message(role="user", content="say")
    case = SimpleNamespace(id="c")
    ask = SimpleNamespace(messages=(message,), suite="s", section="s", case=case)
    arms = {}
    for arm in ARMS:
        identity = Identity(server="virtual", server_version="1", model=_model(arm))
        plan = cast("Plan", SimpleNamespace(asks=[ask] * 50, identity=identity))
        arms[arm] = ArmPlan(plan, Generation(), None)
    granted = Wishes(fixed=False, salted=True)
    return Measuring(arms, server, Silent(), clock, "virtual", granted, Asleep)
