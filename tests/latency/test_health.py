"""What the client and the server did during a measurement: lag, pauses, counters, the log."""

import asyncio
import gc
import os
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from harness.client.metrics import Metrics
from harness.clock import SYSTEM_CLOCK
from harness.latency.health import (
    EVERY,
    Look,
    LoopLagMonitor,
    ServerWatch,
    client_priority,
    garbage_frozen,
)
from harness.records.latency import ClientHealth, ServerHealth
from harness.targets.endpoint import Endpoint
from tests.client.simulated import SimulatedClock, simulate
from tests.manual_clock import ManualClock
from tests.sites import Site


def freeze(seconds: float) -> None:
    """Stop the loop that runs."""
    loop: Any = asyncio.get_running_loop()
    loop._jumping.moment += seconds


async def watched(*freezes: float, cpu: float = 0.0) -> ClientHealth:
    spent = iter([0.0, cpu])
    async with LoopLagMonitor(SimulatedClock(), cpu=lambda: next(spent)) as monitor:
        for seconds in freezes:
            await asyncio.sleep(1.0)
            freeze(seconds)
        await asyncio.sleep(1.0)
    return monitor.health()


def test_a_loop_that_is_in_time_has_no_lag() -> None:
    health = simulate(watched())
    assert health.lag_longest == pytest.approx(0.0, abs=1e-9)
    assert health.lag_p99 == pytest.approx(0.0, abs=1e-9)


def test_a_freeze_is_lag_for_as_long_as_it_lasts() -> None:
    health = simulate(watched(2.0))
    assert health.lag_longest == pytest.approx(2.0, abs=EVERY)
    # Half of the four seconds went by in it; one look at its end would be one in two hundred.
    assert health.lag_p99 == pytest.approx(2.0, rel=0.05)
    short = simulate(watched(0.002))
    assert short.lag_longest == pytest.approx(0.002, abs=1e-9)
    assert short.lag_p99 == pytest.approx(0.0, abs=1e-9)


def test_a_freeze_that_nothing_came_after_is_seen() -> None:
    async def frozen() -> ClientHealth:
        async with LoopLagMonitor(SimulatedClock()) as monitor:
            await asyncio.sleep(1.0)
            freeze(3.0)
            return monitor.health()

    assert simulate(frozen()).lag_longest == pytest.approx(3.0, abs=EVERY)


def test_the_share_of_a_processor() -> None:
    assert simulate(watched(cpu=0.25)).cpu == pytest.approx(0.25)
    assert simulate(watched(1.0, cpu=6.0)).cpu == pytest.approx(2.0)


def test_the_collectors_pauses() -> None:
    async def collected() -> ClientHealth:
        async with LoopLagMonitor(SimulatedClock()) as monitor:
            await asyncio.sleep(1.0)
            gc.callbacks.append(slow)
            try:
                gc.collect()
                gc.collect(0)
            finally:
                gc.callbacks.remove(slow)
        return monitor.health()

    times = iter([0.25, 0.5])

    def slow(phase: str, _: dict[str, int]) -> None:
        if phase == "start":
            freeze(next(times))

    health = simulate(collected())
    assert health.gc_longest == pytest.approx(0.5)
    assert health.gc_total == pytest.approx(0.75)


async def test_the_collector_is_left_as_it_was() -> None:
    before, thresholds = list(gc.callbacks), gc.get_threshold()
    async with LoopLagMonitor(SYSTEM_CLOCK):
        assert gc.get_threshold()[2] > thresholds[2]
        assert len(gc.callbacks) == len(before) + 1
    assert (gc.callbacks, gc.get_threshold()) == (before, thresholds)


def test_at_rest_the_collector_leaves_alone_what_was_there() -> None:
    with garbage_frozen():
        assert gc.get_freeze_count() > 0
    assert gc.get_freeze_count() == 0


async def test_on_the_machines_clock_it_looks_again_and_again() -> None:
    async with LoopLagMonitor(SYSTEM_CLOCK) as monitor:
        await asyncio.sleep(10 * EVERY)
    assert len(monitor._late) >= 9
    assert min(monitor._late) >= 0.0
    assert monitor.health().cpu > 0.0


NAMES = {
    "prompt": "vllm:prompt_tokens_total",
    "generated": "vllm:generation_tokens_total",
    "queries": "vllm:prefix_cache_queries_total",
    "hits": "vllm:prefix_cache_hits_total",
    "waited": "vllm:time_to_first_token_seconds_sum",
    "firsts": "vllm:time_to_first_token_seconds_count",
    "running": "vllm:num_requests_running",
    "started": "process_start_time_seconds",
}
AWAY = "http://127.0.0.1:9/v1"


class Counting:
    """A server that tells the counts it was given; `running` falls by one with every look."""

    def __init__(self, **counts: float) -> None:
        self.counts = counts
        self.looks = 0

    async def page(self, _: web.Request) -> web.Response:
        self.looks += 1
        page = "".join(f"{NAMES[name]} {value}\n" for name, value in self.counts.items())
        self.counts["running"] = max(0.0, self.counts.get("running", 0.0) - 1.0)
        return web.Response(text=page)

    def add(self, **counts: float) -> None:
        for name, value in counts.items():
            self.counts[name] += value


def fresh() -> Counting:
    return Counting(
        started=100.0, prompt=50.0, generated=20.0, queries=50.0, hits=10.0, waited=1.0, firsts=5.0
    )


def watch(url: str, log: Path | None = None) -> ServerWatch:
    return ServerWatch(Endpoint((url,), None), log, clock=ManualClock())


async def test_what_one_server_did_in_between() -> None:
    server = fresh()
    async with Site({"/metrics": server.page}) as site:
        url = f"{site.url}/v1"
        watching = watch(url)
        before = await watching.look()
        server.add(prompt=200, generated=80, queries=200, hits=50, waited=0.5, firsts=10)
        after = await watching.look()
    assert watching.health(before, after) == ServerHealth(
        prompt_tokens=200, generation_tokens=80, cache_hit_share=0.25, ttft_mean=0.05
    )
    assert watching.health(after, after) == ServerHealth(prompt_tokens=0, generation_tokens=0)


async def test_a_figure_that_is_not_told_is_none() -> None:
    server = Counting(started=7.0, prompt=0)
    async with Site({"/metrics": server.page}) as site:
        url = f"{site.url}/v1"
        watching = watch(url)
        before = await watching.look()
        server.add(prompt=300)
        after = await watching.look()
    assert watching.health(before, after) == ServerHealth(prompt_tokens=300)
    away = watch(AWAY)
    assert away.health(await away.look(), await away.look()) == ServerHealth()


async def test_a_server_that_was_started_again_counts_for_nothing() -> None:
    server = fresh()
    async with Site({"/metrics": server.page}) as site:
        url = f"{site.url}/v1"
        watching = watch(url)
        before = await watching.look()
        server.add(started=1.0, prompt=500, generated=500)
        ahead = await watching.look()
        server.counts = {"prompt": 3.0, "generated": 4.0}
        behind = await watching.look()
    assert watching.health(before, ahead) == ServerHealth()
    assert watching.health(before, behind) == ServerHealth()


def test_a_server_that_moved_counts_for_nothing() -> None:
    counted = Metrics(prompt_tokens=1.0)
    watching = watch("http://here/v1")
    before = Look("http://here/v1", counted)
    after = Look("http://there/v1", counted)
    assert watching.health(before, after) == ServerHealth()


async def test_a_look_waits_until_the_last_answers_are_counted() -> None:
    server = fresh()
    server.counts["running"] = 3.0
    async with Site({"/metrics": server.page}) as site:
        url = f"{site.url}/v1"
        look = await watch(url).look()
    assert look.metrics is not None
    assert not look.metrics.busy
    assert server.looks == 4


async def test_a_look_does_not_wait_for_the_requests_of_others() -> None:
    server = fresh()
    server.counts["running"] = 1e9
    async with Site({"/metrics": server.page}) as site:
        url = f"{site.url}/v1"
        clock = ManualClock()
        look = await ServerWatch(Endpoint((url,), None), clock=clock).look()
    assert look.metrics is not None
    assert look.metrics.busy
    assert 0.0 < clock.now() < 1.0


async def test_compiling_is_told_from_the_log_in_between(tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    log.write_text("INFO 11-21 14:28:20 [core.py:402] Compiling before\n")
    watching = watch(AWAY, log)
    before = await watching.look()
    with log.open("a") as file:
        file.write("INFO 11-21 14:28:30 [a.py:1] Avg prompt throughput: 1.2 tokens/s\n")
        file.write("(Worker pid=7) WARNING 11-21 14:28:31 [b.py:2] Triton JIT compilation: k\n")
        file.write("torch._dynamo hit the recompile limit\n")
    after = await watching.look()
    with log.open("a") as file:
        file.write("Compiling after\n")
    assert watching.health(before, after).compiled == (
        "Triton JIT compilation: k",
        "torch._dynamo hit the recompile limit",
    )
    assert watching.health(after, after).compiled == ()


async def test_a_log_that_is_not_there_tells_nothing(tmp_path: Path) -> None:
    watching = watch(AWAY, tmp_path / "none.log")
    assert watching.health(await watching.look(), await watching.look()).compiled == ()


def refuse(*_: object) -> None:
    raise PermissionError


def test_a_priority_that_the_system_grants_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[object, ...]] = []
    monkeypatch.setattr(os, "sched_getscheduler", lambda _: os.SCHED_OTHER)
    monkeypatch.setattr(os, "sched_getparam", lambda _: os.sched_param(0))
    monkeypatch.setattr(os, "sched_setscheduler", lambda *given: asked.append(given[1:]))
    said: list[str] = []
    with client_priority("raised", said.append):
        assert [policy for policy, _ in asked] == [os.SCHED_RR | os.SCHED_RESET_ON_FORK]
    assert asked[1:] == [(os.SCHED_OTHER, os.sched_param(0))]
    assert said == ["latency: the client measures in real time (SCHED_RR)"]


def test_where_real_time_is_refused_a_niceness_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(os, "sched_setscheduler", refuse)
    monkeypatch.setattr(os, "getpriority", lambda *_: 3)
    monkeypatch.setattr(os, "setpriority", lambda _, __, value: asked.append(value))
    said: list[str] = []
    with client_priority("raised", said.append):
        pass
    assert (asked, said) == ([-10, 3], ["latency: the client measures at a niceness of -10"])


def test_a_priority_that_the_system_does_not_grant_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_setscheduler", refuse)
    monkeypatch.setattr(os, "setpriority", refuse)
    said: list[str] = []
    with client_priority("raised", said.append):
        pass
    assert said == [
        "latency: the client measures at its usual priority: the system grants no other"
    ]
    with client_priority("usual", said.append):
        assert len(said) == 1
