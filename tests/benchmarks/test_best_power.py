"""The best test of a cell, against what is known of it."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.best_power import ALPHA, Cell, passes, power
from harness.stats import paired_difference


@pytest.mark.parametrize("cell", [Cell(20, 0.1, 0.02), Cell(32, 0.05, 0.05), Cell(60, 0.1, 0.05)])
def test_no_test_of_that_error_is_better_than_the_best(cell: Cell) -> None:
    found = power(cell)
    assert found.gate <= found.best + 1e-9


def test_where_every_loss_is_one_too_many_there_is_one_best_test() -> None:
    # 1 of 30 lost cannot pass at 10 points (0.9^30 + 30·0.1·0.9^29 = 0.18), none lost can (0.04).
    cell = Cell(30, 0.1, 0.001)
    lost, won = cell.counts()
    none_lost = cell.chance(lost, won, cell.lost, cell.lost)[lost == 0].sum()
    assert power(cell).best == pytest.approx(none_lost, abs=0.003)


@pytest.mark.parametrize(("lost", "won"), [(0, 0), (0, 2), (1, 0), (2, 3), (5, 1)])
def test_the_gate_is_the_gates(lost: int, won: int) -> None:
    cell = Cell(40, 0.1, 0.05)
    ours = np.repeat([0.0, 1.0, 1.0], [lost, won, 40 - lost - won])
    theirs = np.repeat([1.0, 0.0, 1.0], [lost, won, 40 - lost - won])
    low = paired_difference(ours, theirs, np.arange(40), alpha=ALPHA).low
    (told,) = passes(cell, np.array([float(lost)]), np.array([float(won)]))
    assert told == (low >= -cell.margin)
