"""A whole measurement in simulated time: what is asked, when it ends, how it goes on."""

from __future__ import annotations

import contextlib
from collections import Counter
from pathlib import Path

import pytest

from benchmarks.latency_arms import BASELINE, CANDIDATE, Behaviour
from benchmarks.latency_decisions import ALPHA, LIMIT, LOAD, ROWS, Quiet, Row, gate
from benchmarks.latency_world import VirtualServer, header, measuring
from harness.client.protocol import ChatRequest, Failed, Reply
from harness.errors import EvidenceError, HarnessError, ServerError, UsageError
from harness.gate.rules.latency import LatencyRatioAtMost
from harness.latency.analyse import (
    LOOKS,
    SPENT_A_LOOK,
    alpha_of,
    analyse,
    looks,
    whole_rounds,
)
from harness.latency.measure import measure_rounds
from harness.records.attempt import Failure, FailureCause
from harness.records.latency import ARMS, Measurement
from harness.records.latency_settings import LatencySettings, Load
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
        ready = measuring(VirtualServer(clock, behaviours, seed=3), clock)
        ready.client = client = Asked(ready.client, after, how)  # type: ignore[arg-type]
        found.append(client)
        metrics = tuple(rule.metric.removeprefix("latency.") for rule in rules)
        begun = folder.header() or header(settings, metrics, ALPHA)
        folder.write_header(begun)
        done = await measure_rounds(begun, folder, ready, rules, Quiet())
        folder.write_header(done.model_copy(update={"finished": True}))

    with contextlib.suppress(KeyboardInterrupt):
        simulate(work(SimulatedClock()))
    return found[0]


def finished(folder: MeasurementFolder) -> Measurement:
    known = folder.header()
    assert known is not None
    assert known.finished
    return known


def test_every_arm_is_asked_the_same_at_the_same_offsets(tmp_path: Path) -> None:
    folder = MeasurementFolder(tmp_path)
    measure(folder, SAME)
    rounds = whole_rounds(folder.blocks(), LOAD)
    assert len(rounds) == 10
    for turn in rounds:
        one, two, three = (
            [(sample.prompt, sample.due, sample.uncounted) for sample in turn[arm].samples]
            for arm in ARMS
        )
        assert one == two == three
    counted = [sample for sample in rounds[0]["candidate"].samples if not sample.uncounted]
    assert len(counted) == 10


def test_the_servers_capacity_is_measured_once_where_a_load_is_a_share_of_it(
    tmp_path: Path,
) -> None:
    folder = MeasurementFolder(tmp_path)
    share = FEW.model_validate({**FEW.model_dump(mode="json"), "loads": ["poisson:50%"]})
    measure(folder, SAME, share)
    pace = finished(folder).paces[0]
    assert pace.capacity is not None
    assert pace.rate == pytest.approx(0.5 * pace.capacity)
    # 64 at once, each of 0.2 s to the first token and 15 gaps of 0.02 s
    assert pace.capacity == pytest.approx(64 / 0.5, rel=0.3)


@pytest.mark.parametrize("after", [20, 330, 500, 1200])
def test_a_measurement_that_was_broken_off_goes_on_with_its_next_round(
    tmp_path: Path, after: int
) -> None:
    folder = MeasurementFolder(tmp_path)
    whole = len(measure(MeasurementFolder(tmp_path / "whole"), SAME).asked)
    measure(folder, SAME, after=after)
    before = folder.blocks()
    have = len(whole_rounds(before, LOAD))
    again = measure(folder, SAME)
    rounds = whole_rounds(folder.blocks(), LOAD)
    assert [turn["baseline"].round for turn in rounds] == list(range(10))
    assert folder.blocks()[: 3 * have] == before[: 3 * have]
    a_round = sum(len(block.samples) for block in before[:3]) or whole // 11
    assert len(again.asked) <= whole - have * a_round
    section = analyse(finished(folder), folder.blocks())
    assert section.loads[0].problems == ()


def test_the_section_is_the_same_whenever_it_is_worked_out(tmp_path: Path) -> None:
    folder = MeasurementFolder(tmp_path)
    measure(folder, SAME)
    first = analyse(finished(folder), folder.blocks())
    again = MeasurementFolder(tmp_path)
    assert analyse(finished(again), again.blocks()).model_dump_json() == first.model_dump_json()


def test_a_rule_that_is_decided_ends_its_load_at_the_first_look(tmp_path: Path) -> None:
    folder = MeasurementFolder(tmp_path)
    more = FEW.model_copy(update={"requests": 200, "rounds": 20})
    measure(folder, SLOW, more, rules=(RULE,))
    done = finished(folder)
    assert done.stopped == {str(LOAD): round(20 * LOOKS[0])}
    assert len(whole_rounds(folder.blocks(), LOAD)) == 10
    assert alpha_of(done, LOAD) == pytest.approx(ALPHA * SPENT_A_LOOK)
    section = analyse(done, folder.blocks())
    assert section.stopped_early
    assert section.loads[0].problems == ()


def test_looks_spend_no_more_than_alpha_and_nothing_where_there_are_no_rules() -> None:
    ruled = header(FEW.model_copy(update={"rounds": 20}), ("ttft_p50",), ALPHA)
    stopped = ruled.model_copy(update={"stopped": {str(LOAD): 5}})
    spent = len(LOOKS) * alpha_of(stopped, LOAD) + alpha_of(ruled, LOAD)
    assert spent == pytest.approx(ALPHA)


@pytest.mark.parametrize(
    ("rounds", "alpha", "metrics"),
    [(20, ALPHA, ()), (10, ALPHA, ("ttft_p50",)), (20, 0.01, ("ttft_p50",))],
)
def test_where_a_look_can_show_nothing_none_is_taken_or_paid_for(
    rounds: int, alpha: float, metrics: tuple[str, ...]
) -> None:
    begun = header(FEW.model_copy(update={"rounds": rounds}), metrics, alpha)
    assert looks(begun) == ()
    assert alpha_of(begun, LOAD) == alpha


def test_a_look_that_a_kill_prevented_is_taken_by_the_next_session(tmp_path: Path) -> None:
    more = FEW.model_copy(update={"requests": 200, "rounds": 20})
    folder = MeasurementFolder(tmp_path)
    measure(folder, SLOW, more, rules=(RULE,))
    known = finished(folder)
    folder.write_header(known.model_copy(update={"stopped": {}, "finished": False}))
    measure(folder, SLOW, more, rules=(RULE,))
    assert finished(folder).stopped == known.stopped
    assert len(whole_rounds(folder.blocks(), LOAD)) == 10


def test_no_two_sessions_salt_alike_and_no_block_as_another(tmp_path: Path) -> None:
    salts = []
    for name in ("one", "two"):
        asked = measure(MeasurementFolder(tmp_path / name), SAME).asked
        salts.append({request.extra["cache_salt"] for request in asked})
    assert not salts[0] & salts[1]
    assert len(salts[0]) >= 3 * 10


def test_a_closed_load_is_kept_up_until_the_last_counted_request_has_ended(tmp_path: Path) -> None:
    load = Load(kind="closed", concurrency=32)
    folder = MeasurementFolder(tmp_path)
    measure(folder, SAME, FEW.model_copy(update={"loads": (load,)}))
    for block in folder.blocks():
        ends = [(one.due, one.due + one.timing.done) for one in block.samples if one.timing]
        for sample in block.samples:
            if not sample.uncounted and sample.timing is not None:
                end = sample.due + sample.timing.done - 1e-9
                assert sum(begun <= end < done for begun, done in ends) >= 24


def test_a_finished_load_is_not_asked_again(tmp_path: Path) -> None:
    folder = MeasurementFolder(tmp_path)
    measure(folder, SAME)
    before = folder.blocks()
    again = measure(folder, SAME)
    assert len(again.asked) == 3 * 16  # the warm-up alone
    assert folder.blocks() == before


def failure(cause: FailureCause, status: int | None = None) -> Failure:
    return Failure(cause=cause, detail="told to", status=status)


@pytest.mark.parametrize(
    ("how", "error", "words"),
    [
        (failure("http", 404), EvidenceError, "no longer serves"),
        (failure("http", 400), UsageError, "refuses s/s/c: told to"),
        (failure("http", 401), ServerError, "refuses the key"),
        (failure("connect"), ServerError, "the server is gone"),
    ],
)
@pytest.mark.parametrize("after", [5, 700])
def test_what_no_round_can_mend_ends_it_and_keeps_what_is_done(
    tmp_path: Path, how: Failure, error: type[HarnessError], words: str, after: int
) -> None:
    folder = MeasurementFolder(tmp_path)
    with pytest.raises(error, match=words):
        measure(folder, SAME, after=after, how=how)
    known = folder.header()
    assert known is not None
    assert not known.finished
    assert len(folder.blocks()) % 3 == 0
    assert bool(folder.blocks()) == (after == 700)


@pytest.mark.parametrize("row", [ROWS[0], ROWS[4], ROWS[9]], ids=lambda row: row.words)
def test_what_plainly_is_so_is_decided_so(row: Row) -> None:
    outcomes = Counter(gate(row, 1000 + seed)[0] for seed in range(4))
    assert outcomes[row.never or ""] == 0
    assert outcomes[row.mostly or ""] >= 3
