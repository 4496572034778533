"""A late client: rounds are measured again by what no arm's times say, and lateness is charged."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.latency_arms import Behaviour
from benchmarks.latency_decisions import ALPHA, LOAD, Quiet
from benchmarks.latency_world import Asleep, VirtualServer, header, measuring
from harness.clock import Clock
from harness.gate.rules.latency import LatencyAtMost, LatencyRatioAtMost
from harness.latency.analyse import analyse, analyse_load, whole_rounds
from harness.latency.latency_rule import judge_load
from harness.latency.lateness import BUSY, charged, extra, spoiled
from harness.latency.measure import measure_rounds
from harness.records.latency import ARMS, Arm, Block, ClientHealth, LatencySettings
from harness.storage.working_files import MeasurementFolder
from tests.client.simulated import SimulatedClock, simulate
from tests.latency.builders import WELL, block, sample
from tests.latency.measured import FEW, SAME, finished

SETTINGS = LatencySettings(loads=(LOAD,), requests=1000, rounds=20, max_tokens=3)
HEADER = header(SETTINGS, ("ttft_p95",), 0.05).model_copy(update={"finished": True})
RATIO = LatencyRatioAtMost(require="ratio_at_most", metric="latency.ttft_p95", value=1.10)


def health(lag: float = 0.0, cpu: float = 0.1) -> ClientHealth:
    return WELL.model_copy(update={"lag_p99": lag, "lag_longest": 1.5 * lag, "cpu": cpu})


def turn(health: ClientHealth, times: float = 1.0, late: float = 0.0) -> dict[Arm, Block]:
    samples = [sample(0.1 * times, late=late) for _ in range(3)]
    return {arm: block(samples, arm, client=health if arm == "control" else WELL) for arm in ARMS}


@given(st.floats(0.01, 100.0), st.floats(0.0, 0.01), st.floats(0.0, 1.0), st.floats(0.0, 0.01))
def test_no_time_of_an_arm_says_whether_a_round_is_measured_again(
    times: float, lag: float, cpu: float, late: float
) -> None:
    kept = spoiled(turn(health(lag, cpu), times, late), 0.004)
    assert kept == spoiled(turn(health(lag, cpu), 1.0, late), 0.004)
    assert kept == (lag > 0.004 or cpu > BUSY or late > 0.004)


def blocks(candidate: float, late: dict[int, float], rounds: int = 20) -> list[Block]:
    """Rounds of a baseline of 20 ms and a candidate, with the client's lag in some of them."""
    draw = np.random.default_rng(7)
    found = []
    for number in range(rounds):
        for arm in ARMS:
            base = candidate if arm == "candidate" else 0.020
            samples = [
                sample(base * math.exp(0.05 * draw.standard_normal()), due=0.02 * place)
                for place in range(50)
            ]
            client = health(late.get(number, 0.0))
            found.append(block(samples, arm, load=LOAD, round=number, client=client))
    return found


TWO = {3: 0.0027, 11: 0.0027}


@pytest.mark.parametrize(
    ("candidate", "late", "outcome"),
    [
        (0.030, TWO, "fail"),  # a lag of 2.7 ms makes no 20 ms of 30
        (0.014, TWO, "pass"),
        (0.0222, dict.fromkeys(range(9), 0.0027), "invalid"),  # it may make the difference here
        (0.020, dict.fromkeys(range(20), 0.0027), "invalid"),
        (0.060, dict.fromkeys(range(20), 0.0027), "fail"),
        (0.020, {3: 0.0027}, "pass"),  # one block in twenty is nothing to speak of
    ],
)
def test_lateness_that_cannot_change_the_outcome_does_not_spoil_it(
    candidate: float, late: dict[int, float], outcome: str
) -> None:
    load = analyse_load(HEADER, LOAD, blocks(candidate, late), 0.05)
    assert load.problems == ()
    result = judge_load(RATIO, load)
    assert result.outcome == outcome
    if outcome == "invalid":
        assert "event loop lagged by up to 2.7 ms" in result.reason
        assert "may decide what is said of latency.ttft_p95" in result.reason


@pytest.mark.parametrize(
    ("value", "outcome"), [(0.05, "pass"), (0.0235, "invalid"), (0.01, "fail")]
)
@pytest.mark.parametrize("evidence", ["bound", "point"])
def test_a_time_is_charged_like_a_ratio(value: float, outcome: str, evidence: str) -> None:
    rule = LatencyAtMost.model_validate(
        {"require": "at_most", "metric": "latency.ttft_p95", "value": value, "evidence": evidence}
    )
    load = analyse_load(HEADER, LOAD, blocks(0.020, dict.fromkeys(range(20), 0.0027)), 0.05)
    assert judge_load(rule, load).outcome == outcome


@given(st.floats(0.0025, 0.05), st.floats(0.0, 0.03), st.integers(0, 1000))
def test_every_percentile_of_the_truth_lies_within_what_lateness_may_have_done(
    lag: float, late: float, seed: int
) -> None:
    """All but one in fifty are seen late by the p99 at most, the others by up to the longest."""
    draw = np.random.default_rng(seed)
    truth = 0.05 * np.exp(0.3 * draw.standard_normal(100))
    seen = truth + late + lag * draw.random(100)
    seen[:2] = truth[:2] + late + 1.5 * lag
    one = block([sample(float(time), late=late) for time in seen], client=health(lag))
    fast, slow = (np.sort(charged(one, "ttft", 0.002, slowest=side)) for side in (False, True))
    assert np.all(fast <= np.sort(truth) + 1e-9)
    assert np.all(np.sort(truth) <= slow + 1e-9)


def test_where_the_client_was_not_late_nothing_is_charged() -> None:
    one = block([sample(0.1), sample(0.2)], client=health(0.0019))
    for slowest in (False, True):
        assert charged(one, "ttft", 0.002, slowest=slowest).tolist() == [0.1, 0.2]


class Scripted(Asleep):
    """A monitor that says of each block what it is told to."""

    def __init__(self, clock: Clock, told: Callable[[], ClientHealth]) -> None:
        super().__init__(clock)
        self._told = told

    def health(self) -> ClientHealth:
        return self._told()


def measured(folder: MeasurementFolder, lags: list[float], stop: int = 10**9) -> int:
    """How many blocks were measured, with that lag of the client in each of them in turn."""
    count = 0

    def told() -> ClientHealth:
        nonlocal count
        if count == stop:
            raise KeyboardInterrupt
        count += 1
        return health(lags[count - 1] if count <= len(lags) else 0.0)

    async def work(clock: SimulatedClock) -> None:
        ready = measuring(VirtualServer(clock, SAME, seed=3), clock)
        ready = replace(ready, monitor=lambda clock: Scripted(clock, told))
        begun = folder.header() or header(FEW, (), ALPHA)
        folder.write_header(begun)
        folder.finish(await measure_rounds(begun, folder, ready, (), Quiet()))

    with contextlib.suppress(KeyboardInterrupt):
        simulate(work(SimulatedClock()))
    return count


def orders_of(folder: MeasurementFolder) -> dict[int, tuple[Arm, ...]]:
    found: dict[int, list[Block]] = {}
    for one in folder.blocks():
        found.setdefault(one.round, []).append(one)
    return {
        number: tuple(one.arm for one in sorted(turn, key=lambda one: one.place))
        for number, turn in found.items()
    }


def test_a_candidate_that_keeps_the_machine_busy_is_not_measured_again_until_it_does_not(
    tmp_path: Path,
) -> None:
    """Its blocks are the late ones, in whichever order the arms are asked."""
    folder = MeasurementFolder(tmp_path)
    measured(folder, [])
    late = [
        one.model_copy(update={"client": health(9.0)})
        if one.arm == "candidate" and one.round < 8
        else one
        for one in folder.blocks()
    ]
    (load,) = analyse(finished(folder), late).loads
    assert "late in 8 of the candidate's 10 blocks and in 0 of the others' 20" in load.problems[0]
    alike = [one.model_copy(update={"client": health(9.0)}) for one in folder.blocks()]
    assert analyse(finished(folder), alike).loads[0].problems == ()


SETTLE = [0.0] * 3  # the round that does not count


def test_a_round_with_a_late_client_is_measured_again_with_all_arms_in_its_order(
    tmp_path: Path,
) -> None:
    folder = MeasurementFolder(tmp_path)
    late = [*SETTLE, *[0.0] * 6, 0.0, 9.0, 0.0]  # the third round of ten
    assert measured(folder, late) == 3 * (1 + 10 + 1)
    orders = orders_of(folder)
    assert sorted(orders) == [*range(10), 11]
    assert orders[11] == orders[2]
    section = analyse(finished(folder), folder.blocks())
    (load,) = section.loads
    assert load.rounds == 10
    assert load.late == ()
    assert load.notes[0] == (
        "1 round was measured again: the client was late or at its limit in them"
    )
    assert len(whole_rounds(folder.blocks(), LOAD)) == 11


def test_rounds_are_measured_again_up_to_half_as_many_and_then_what_is_there_counts(
    tmp_path: Path,
) -> None:
    folder = MeasurementFolder(tmp_path)
    assert measured(folder, [*SETTLE, *[9.0] * 1000]) == 3 * (1 + 10 + extra(10))
    (load,) = analyse(finished(folder), folder.blocks()).loads
    assert load.rounds == 10
    assert len(load.late) == 3


def test_a_measurement_that_is_broken_off_goes_on_measuring_again(tmp_path: Path) -> None:
    late = [*SETTLE, *[9.0] * 6]  # the first two rounds
    whole, broken = MeasurementFolder(tmp_path / "a"), MeasurementFolder(tmp_path / "b")
    measured(whole, late)
    measured(broken, late, stop=3 * (1 + 10) + 4)  # in the second that is measured again
    measured(broken, [*SETTLE])
    assert orders_of(whole) == orders_of(broken)
    assert sorted(orders_of(broken)) == [*range(10), 11, 12]


def test_how_late_the_client_may_be_is_fixed_before_a_round_counts(tmp_path: Path) -> None:
    folder = MeasurementFolder(tmp_path)
    slow = {name: Behaviour(times=50.0) for name in SAME}

    async def work(clock: SimulatedClock) -> None:
        ready = measuring(VirtualServer(clock, slow, seed=3), clock)
        begun = header(FEW, (), ALPHA)
        folder.write_header(begun)
        folder.finish(await measure_rounds(begun, folder, ready, (), Quiet()))

    simulate(work(SimulatedClock()))
    (pace,) = finished(folder).paces
    assert pace.late is not None
    assert pace.late > 0.01
