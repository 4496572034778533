"""The servers of arms: up all the time, or started anew for each block."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from benchmarks.latency_decisions import LOAD
from benchmarks.latency_world import VirtualServer, at, header
from harness.config import load_project
from harness.latency import arm_servers
from harness.latency.analyse import analyse, whole_rounds
from harness.latency.arm_servers import ArmServer, InTurns, MeasuredServers, Standing
from harness.latency.block import orders
from harness.records.deployment import Deployment, Deployments, ServerMode
from harness.records.latency import ARMS, Arm, Bounded
from harness.records.load import Load
from harness.storage.working_files import MeasurementFolder
from harness.targets.endpoint import Endpoint
from tests.client.simulated import SimulatedClock, simulate
from tests.latency.measured import FEW, SAME, Asked, finished, measure_in_turns
from tests.shop import write_project

CLOSED = FEW.model_copy(update={"loads": (Load(kind="closed", concurrency=4),)})


def test_every_block_in_turns_has_a_start_of_its_own(tmp_path: Path) -> None:
    folder = MeasurementFolder(tmp_path)
    starts = measure_in_turns(folder, SAME).starts
    assert starts[0] == "baseline"  # what an open load's baseline can answer
    assert starts[1:] == [arm for order in orders(FEW, 0) for arm in order]
    rounds = whole_rounds(folder.blocks(), LOAD)
    assert [turn["baseline"].round for turn in rounds] == list(range(10))
    for turn in rounds:
        one, two, three = ([(s.prompt, s.due) for s in turn[arm].samples] for arm in ARMS)
        assert one == two == three
    assert not analyse(finished(folder), folder.blocks()).loads[0].problems


def test_every_start_is_warmed_up_by_a_whole_block_that_does_not_count(tmp_path: Path) -> None:
    folder = MeasurementFolder(tmp_path)
    servers = measure_in_turns(folder, SAME, CLOSED)
    block = len(folder.blocks()[0].samples)
    assert len(servers.starts) == 30
    assert [len(server.asked) for server in servers.asked] == [16 + 2 * block] * 30
    salts = [{one.extra["cache_salt"] for one in server.asked} for server in servers.asked]
    assert all(len(own) == 3 for own in salts)


@pytest.mark.parametrize("dies", [2, 9])
def test_in_turns_it_goes_on_with_the_round_that_was_broken_off(tmp_path: Path, dies: int) -> None:
    folder = MeasurementFolder(tmp_path)
    measure_in_turns(folder, SAME, CLOSED, dies=dies)
    before = folder.blocks()
    known = folder.header()
    assert known is not None
    assert not known.finished
    assert len(before) == (dies - 1) // 3 * 3
    again = measure_in_turns(folder, SAME, CLOSED)
    assert len(again.starts) == 30 - len(before)
    assert folder.blocks()[: len(before)] == before
    assert len(whole_rounds(folder.blocks(), CLOSED.loads[0])) == 10
    assert finished(folder)


def width(bounds: Bounded) -> float:
    assert bounds.low
    assert bounds.high
    return math.log(bounds.high / bounds.low)


def test_what_differs_from_start_to_start_is_in_the_noise_of_the_control(tmp_path: Path) -> None:
    """A control that shared its start with the baseline would seem nearly without noise."""
    widths = []
    for spread in (0.0, 0.5):
        folder = MeasurementFolder(tmp_path / str(spread))
        measure_in_turns(folder, SAME, CLOSED, spread=spread)
        found = analyse(finished(folder), folder.blocks()).loads[0]
        (metric,) = (one for one in found.metrics if one.metric == "ttft_p50")
        assert metric.ratio.low is not None
        assert metric.ratio.high is not None
        assert metric.ratio.low < 1.0 < metric.ratio.high
        widths.append((width(metric.ratio), width(metric.control)))
    assert widths[1][1] > 3.0 * widths[0][1]
    assert 0.5 < widths[1][1] / widths[1][0] < 2.0


def test_one_server_is_up_at_a_time_also_when_a_block_fails() -> None:
    events: list[str] = []

    @contextmanager
    def connect(arm: Arm) -> Iterator[Endpoint]:
        events.append(f"start {arm}")
        try:
            yield Endpoint(("virtual",), None)
        finally:
            events.append(f"stop {arm}")

    @asynccontextmanager
    async def asking(endpoint: Endpoint) -> AsyncIterator[ArmServer]:
        assert endpoint.urls == ("virtual",)
        yield at(Asked(VirtualServer(SimulatedClock(), SAME, seed=1)))

    async def work() -> None:
        servers = InTurns(connect, asking)
        for arm in ("baseline", "control"):
            async with servers.of(arm):
                events.append("asked")
        with pytest.raises(ValueError, match="no"):
            async with servers.of("candidate"):
                raise ValueError("no")

    simulate(work())
    assert events == [
        "start baseline", "asked", "stop baseline", "start control", "asked", "stop control",
        "start candidate", "stop candidate",
    ]  # fmt: skip


def deployments(mode: ServerMode) -> Deployments:
    one = Deployment(server="main", version="1", model="m")
    return Deployments(mode=mode, candidate=one, baseline=one)


@pytest.mark.parametrize(
    ("mode", "started", "logs"),
    [
        (None, [["candidate", "base"]], ["server.log"]),
        (
            "side_by_side",
            [["candidate"], ["base"]],
            ["server-candidate.log", "server-baseline.log"],
        ),
        ("in_turns", [], []),
    ],
)
def test_what_is_started_for_the_whole_measurement(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    mode: ServerMode | None,
    started: list[list[str]],
    logs: list[str],
) -> None:
    found: list[tuple[list[str], str]] = []

    @contextmanager
    def connect(
        _: Any, server: str, names: list[str], log: Path, say: Any, *, alone: bool
    ) -> Iterator[Endpoint]:
        assert server == "main"
        assert say
        found.append((names, log.name))
        assert alone
        yield Endpoint((f"http://127.0.0.1:{len(found)}/v1",), None)

    monkeypatch.setattr(arm_servers, "connect", connect)
    write_project(tmp_path, "http://127.0.0.1:1")
    project = load_project(tmp_path / "harness.yaml")
    begun = header(FEW, (), 0.05).model_copy(
        update={"candidate": "candidate", "baseline": "base",
                "servers": None if mode is None else deployments(mode)}
    )  # fmt: skip
    servers = MeasuredServers(project, begun, MeasurementFolder(tmp_path / "m"), print)

    async def used(standing: Any) -> tuple[bool, dict[Arm, str]]:
        async with servers.opened(standing) as opened:
            if opened.anew:
                return True, {}
            assert isinstance(opened, Standing)
            clients = {arm: opened.servers[arm].client for arm in ARMS}
            assert clients["baseline"] is clients["control"]
            return False, {arm: opened.servers[arm].where for arm in ARMS}

    with servers.standing() as standing:
        assert [names for names, _ in found] == started
        assert [log for _, log in found] == logs
        anew, where = simulate(used(standing))
    assert anew is (mode == "in_turns")
    if mode == "side_by_side":
        assert where["candidate"] != where["baseline"] == where["control"]
