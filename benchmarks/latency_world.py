"""A server for latency measurements in simulated time, with a candidate as slow as it is told.

Hours of measuring are over in seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, Self, cast

from benchmarks.latency_arms import BASELINE, CANDIDATE, Answers, Behaviour
from harness.client.protocol import Answer, ChatClient, ChatRequest, Failed, Reply
from harness.clock import Clock
from harness.latency.arm_servers import ArmServer, Standing
from harness.latency.health import LoopLagMonitor, ServerWatch
from harness.latency.rounds import ArmPlan, Measuring, Wishes
from harness.records.attempt import Failure, Timing, Usage
from harness.records.latency import (
    ARMS,
    Arm,
    Block,
    ClientHealth,
    LatencySettings,
    Measurement,
    ServerHealth,
)
from harness.records.plan import Plan
from harness.records.suite import Message
from harness.records.target import Generation, Identity
from harness.storage.working_files import MeasurementFolder
from harness.targets.endpoint import Endpoint
from tests.client.simulated import SimulatedClock


@dataclass(slots=True)
class VirtualServer:
    """Answers as fast as the arm asked for does; it is frozen whenever `frozen` says until when."""

    clock: Clock
    behaviours: dict[str, Behaviour]
    seed: int
    frozen: Callable[[float], float] = lambda now: now
    _answers: Answers = field(init=False)

    def __post_init__(self) -> None:
        self._answers = Answers(self.behaviours, self.seed)

    async def ask(self, request: ChatRequest, *, intended: float | None = None) -> Reply:
        """The reply after as long as it takes."""
        sent = self.clock.now()
        start = sent if intended is None else intended
        begin = self.frozen(sent)
        drawn = self._answers.draw(request.model, request.extra.get("cache_salt"), begin)
        chunks = begin + drawn.first - start + drawn.later
        await self.clock.sleep(max(0.0, start + float(chunks[0 if drawn.fails else -1]) - sent))
        done = self.clock.now() - start
        if drawn.fails:
            failure = Failure(cause="http", detail="HTTP 500", status=500)
            return Failed(failure, Timing(sent=sent - start, done=done), 1)
        timing = Timing(sent=sent - start, chunks=tuple(chunks.tolist()), done=done)
        usage = Usage(prompt_tokens=20, completion_tokens=len(chunks))
        return Answer("so", None, "stop", usage, timing, 1, request.model)


class Silent(ServerWatch):
    """A watch over a server that tells nothing of itself."""

    def __init__(self) -> None: ...

    async def look(self) -> Any:
        """Nothing."""

    def health(self, before: Any, after: Any) -> ServerHealth:  # noqa: ARG002 - the watch's own
        """Nothing either."""
        return ServerHealth()


class Asleep(LoopLagMonitor):
    """A monitor that sees nothing: where time is simulated, nobody can be late."""

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


def at(server: ChatClient) -> ArmServer:
    """The server, as an arm is asked there."""
    return ArmServer(Endpoint(("virtual",), None), server, Silent())


def measuring(server: ChatClient, clock: SimulatedClock) -> Measuring:
    """The arms on the server, ready to be asked."""
    message = Message(role="user", content="say")
    ask = SimpleNamespace(messages=(message,), path="s/s/c")
    arms: dict[Arm, ArmPlan] = {}
    for arm in ARMS:
        identity = Identity(server="virtual", server_version="1", model=_model(arm))
        plan = cast("Plan", SimpleNamespace(requests=[ask] * 50, identity=identity))
        arms[arm] = ArmPlan(plan, Generation(), None)
    granted = Wishes(fixed=False, salted=True)
    return Measuring(arms, Standing(dict.fromkeys(ARMS, at(server))), clock, granted, Asleep)
