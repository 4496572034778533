"""The simulations of latency's intervals: the truths they hold bounds against are true."""

from __future__ import annotations

import math

import numpy as np
import pytest

from benchmarks.latency_intervals import SIZES, Arm, cells, main

ARMS = [Arm(), Arm(own=0.2, noise=0.6, stalls=0.1), Arm(fails=0.03), Arm(injured=0.05)]


@pytest.mark.parametrize("arm", ARMS, ids=str)
@pytest.mark.parametrize("share", [0.5, 0.95])
def test_the_truth_is_what_many_rounds_show(arm: Arm, share: float) -> None:
    random = np.random.default_rng(3)
    times = arm.times(random, 0.2 * random.normal(size=(20_000, 1)), 20)
    assert np.mean(times <= arm.percentile(share, 0.2)) == pytest.approx(share, abs=0.005)


def test_a_percentile_among_failures_has_no_truth_and_no_cell() -> None:
    assert Arm(fails=0.03).percentile(0.99, 0.2) == math.inf
    assert all(
        math.isfinite(arm.percentile(size.percent / 100, shape.common))
        for shape, size in cells()
        for arm in (shape.candidate, shape.baseline)
    )


def test_the_command_prints_a_row_a_cell(capsys: pytest.CaptureFixture[str]) -> None:
    size = SIZES[0]
    assert main(["--simulations", "2", "--jobs", "1", "--sizes", str(size)]) == 0
    printed = capsys.readouterr().out
    assert printed.count(f"| {size} |") == len(list(cells([size])))


def test_an_unknown_size_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--sizes", "7x7@7"])
    assert "choose among" in capsys.readouterr().err
