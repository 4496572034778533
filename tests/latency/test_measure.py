"""A whole measurement in simulated time: what is asked, when it ends, how it goes on."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from benchmarks.latency_decisions import ALPHA, LOAD, ROWS, Row, gate
from harness.latency.analyse import (
    LOOKS,
    SPENT_A_LOOK,
    alpha_of,
    analyse,
    whole_rounds,
)
from harness.storage.working_files import MeasurementFolder
from tests.latency.measured import FEW, RULE, SAME, SLOW, finished, measure


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


def test_a_look_that_a_kill_prevented_is_taken_by_the_next_session(tmp_path: Path) -> None:
    more = FEW.model_copy(update={"requests": 200, "rounds": 20})
    folder = MeasurementFolder(tmp_path)
    measure(folder, SLOW, more, rules=(RULE,))
    known = finished(folder)
    folder.write_header(known.model_copy(update={"stopped": {}, "finished": False}))
    measure(folder, SLOW, more, rules=(RULE,))
    assert finished(folder).stopped == known.stopped
    assert len(whole_rounds(folder.blocks(), LOAD)) == 10


def test_a_finished_load_is_not_asked_again(tmp_path: Path) -> None:
    folder = MeasurementFolder(tmp_path)
    measure(folder, SAME)
    before = folder.blocks()
    again = measure(folder, SAME)
    assert len(again.asked) == 3 * 16  # the warm-up alone
    assert folder.blocks() == before


@pytest.mark.parametrize("row", [ROWS[0], ROWS[4], ROWS[9]], ids=lambda row: row.words)
def test_what_plainly_is_so_is_decided_so(row: Row) -> None:
    outcomes = Counter(gate(row, 1000 + seed)[0] for seed in range(4))
    assert outcomes[row.never or ""] == 0
    assert outcomes[row.mostly or ""] >= 3
