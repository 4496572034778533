"""What a training's log says of the adapter that it ends with."""

from __future__ import annotations

import pytest

from harness.training.fit import evaluated

LOG = [{"step": 10, "loss": 1.0}, {"step": 20, "eval_loss": 0.4}, {"step": 40, "eval_loss": 0.6}]


@pytest.mark.parametrize(
    ("steps", "keeps_best", "known"),
    [(40, False, True), (45, False, False), (40, True, True), (45, True, True)],
)
def test_the_best_adapter_is_not_evaluated_again_as_the_last(
    steps: int, keeps_best: bool, known: bool
) -> None:
    assert evaluated(LOG, steps, keeps_best=keeps_best) is known


@pytest.mark.parametrize("keeps_best", [True, False])
def test_what_was_never_evaluated_is(keeps_best: bool) -> None:
    assert not evaluated(LOG[:1], 10, keeps_best=keeps_best)
