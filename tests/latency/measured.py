"""Measurements in simulated time, of arms that behave as told."""

from __future__ import annotations

import contextlib
import gc
import math
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import numpy as np

from benchmarks.latency_arms import BASELINE, CANDIDATE, Behaviour
from benchmarks.latency_decisions import ALPHA, LIMIT, LOAD, Quiet
from benchmarks.latency_world import VirtualServer, at, header, measuring
from harness.client.protocol import ChatRequest, Failed, Reply
from harness.errors import ServerError
from harness.gate.rules.latency import LatencyRatioAtMost
from harness.latency.arm_servers import ArmServer, ArmServers
from harness.latency.measure import measure_rounds
from harness.records.attempt import Failure
from harness.records.latency import Arm, LatencySettings, Measurement
from harness.storage.working_files import MeasurementFolder
from tests.client.simulated import SimulatedClock, simulate

SAME = {CANDIDATE: Behaviour(), BASELINE: Behaviour()}


SLOW = {CANDIDATE: Behaviour(times=8.0), BASELINE: Behaviour()}


FEW = LatencySettings(loads=(LOAD,), requests=100, rounds=10, max_tokens=16)


RULE = LatencyRatioAtMost(require="ratio_at_most", metric="latency.ttft_p50", value=LIMIT)


class Asked:
    """A server that counts, and that breaks after so many requests if it is told how."""

    def __init__(self, server: VirtualServer, after: int = 10**9, how: Failure | None = None):
        self.server = server
        self.after = after
        self.how = how
        self.asked: list[ChatRequest] = []

    async def ask(self, request: ChatRequest, *, intended: float | None = None) -> Reply:
        self.asked.append(request)
        if len(self.asked) > self.after:
            if self.how is None:
                raise KeyboardInterrupt
            return Failed(self.how, None, 1)
        return await self.server.ask(request, intended=intended)


def measure(
    folder: MeasurementFolder,
    behaviours: dict[str, Behaviour],
    settings: LatencySettings = FEW,
    *,
    rules: tuple[LatencyRatioAtMost, ...] = (),
    after: int = 10**9,
    how: Failure | None = None,
) -> Asked:
    """The server that was asked, by a measurement that begins or goes on in the folder."""
    found: list[Asked] = []

    async def work(clock: SimulatedClock) -> None:
        client = Asked(VirtualServer(clock, behaviours, seed=3), after, how)
        found.append(client)
        ready = measuring(client, clock)
        metrics = tuple(rule.metric.removeprefix("latency.") for rule in rules)
        drawn = {"nonce": secrets.token_hex(16)}
        new = header(settings, metrics, ALPHA).model_copy(update=drawn)
        begun = folder.header() or new
        folder.write_header(begun)
        done = await measure_rounds(begun, folder, ready, rules, Quiet())
        folder.finish(done)

    with contextlib.suppress(KeyboardInterrupt):
        simulate(work(SimulatedClock()))
    # What was broken off is told of when it is collected: here, and not in the middle of an import,
    # which CPython 3.11 cannot bear (python/cpython#106905).
    gc.collect()
    return found[0]


class Restarted(ArmServers):
    """Servers of which each start is slower or faster by its own chance, by `spread` at a time.

    The start with the number `dies` fails.
    """

    anew = True

    def __init__(
        self, clock: SimulatedClock, behaviours: dict[str, Behaviour], spread: float, dies: int
    ) -> None:
        self._clock, self._behaviours, self._dies = clock, behaviours, dies
        self._draw, self._spread = np.random.default_rng(9), spread
        self.starts: list[Arm] = []
        self.asked: list[Asked] = []

    @asynccontextmanager
    async def of(self, arm: Arm) -> AsyncIterator[ArmServer]:
        self.starts.append(arm)
        if len(self.starts) == self._dies:
            raise ServerError("vLLM ended while starting")
        times = math.exp(self._spread * self._draw.standard_normal())
        behaviours = {
            name: replace(how, times=times * how.times) for name, how in self._behaviours.items()
        }
        server = Asked(VirtualServer(self._clock, behaviours, seed=len(self.starts)))
        self.asked.append(server)
        yield at(server)


def measure_in_turns(
    folder: MeasurementFolder,
    behaviours: dict[str, Behaviour],
    settings: LatencySettings = FEW,
    *,
    spread: float = 0.0,
    dies: int = 0,
) -> Restarted:
    """The servers of a measurement that begins or goes on in the folder, one up at a time."""
    found: list[Restarted] = []

    async def work(clock: SimulatedClock) -> None:
        servers = Restarted(clock, behaviours, spread, dies)
        found.append(servers)
        ready = replace(measuring(VirtualServer(clock, behaviours, seed=3), clock), servers=servers)
        begun = folder.header() or header(settings, (), ALPHA)
        folder.write_header(begun)
        folder.finish(await measure_rounds(begun, folder, ready, (), Quiet()))

    with contextlib.suppress(ServerError):
        simulate(work(SimulatedClock()))
    return found[0]


def finished(folder: MeasurementFolder) -> Measurement:
    known = folder.header()
    assert known is not None
    assert known.finished
    return known
