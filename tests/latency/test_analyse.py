"""A section on latency is a function of the records alone, and looking early costs alpha."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.latency_decisions import ALPHA, LOAD
from benchmarks.latency_world import header
from harness.latency.analyse import (
    LOOKS,
    alpha_of,
    analyse,
    looks,
)
from harness.storage.working_files import MeasurementFolder
from tests.latency.measured import FEW, SAME, finished, measure


def test_the_section_is_the_same_whenever_it_is_worked_out(tmp_path: Path) -> None:
    folder = MeasurementFolder(tmp_path)
    measure(folder, SAME)
    first = analyse(finished(folder), folder.blocks())
    again = MeasurementFolder(tmp_path)
    assert analyse(finished(again), again.blocks()).model_dump_json() == first.model_dump_json()


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
