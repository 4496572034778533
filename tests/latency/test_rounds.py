"""Rounds: every arm is asked alike, and what no round can mend ends them."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.latency_decisions import LOAD
from harness.errors import EvidenceError, HarnessError, ServerError, UsageError
from harness.latency.analyse import (
    whole_rounds,
)
from harness.latency.rounds import Wishes
from harness.records.attempt import Failure, FailureCause
from harness.records.latency import ARMS
from harness.records.load import Load
from harness.storage.working_files import MeasurementFolder
from tests.latency.measured import FEW, SAME, finished, measure


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


def test_of_two_servers_only_what_both_do_is_asked_for() -> None:
    vllm, other = Wishes(fixed=True, salted=True), Wishes(fixed=True, salted=False)
    assert vllm & other == other & vllm == Wishes(fixed=True, salted=False)
