"""Which settings are warned of."""

from __future__ import annotations

from typing import Any

import pytest

from harness.training.cautions import cautions, passes_over
from tests.training.conftest import make_recipe

BILLION = 10**9


@pytest.mark.parametrize(
    ("settings", "parameters", "said"),
    [
        ({"learning_rate": 0.003}, BILLION, "`learning_rate` 0.003 is 15 times the usual 0.0002"),
        ({"learning_rate": 0.003}, 10**6, None),
        ({"learning_rate": 0.001}, BILLION, None),
        ({"learning_rate": 1e-5}, BILLION, "`learning_rate` 1e-05 is one of full fine-tuning"),
        ({"learning_rate": 1e-5}, 10**6, None),
        ({"learning_rate": 1e-5, "method": "dpo"}, BILLION, None),
        ({"learning_rate": 0.0002, "method": "dpo"}, BILLION, "20 times the usual 1e-05 of DPO"),
        ({"steps": 200}, BILLION, "each of the 100 sequences is seen 8 times"),
        ({"steps": 100}, BILLION, None),
        ({"steps": None, "epochs": 10}, BILLION, "is seen 10 times"),
        ({"steps": 200, "patience": 3}, BILLION, None),
    ],
)
def test_a_caution_has_its_numbers(
    settings: dict[str, Any], parameters: int, said: str | None
) -> None:
    recipe = make_recipe(**{"learning_rate": 2e-4, **settings})
    found = list(cautions(recipe, 100, parameters))
    assert len(found) == (said is not None)
    assert said is None or said in found[0]


def test_passes_count_every_sequence_of_a_step() -> None:
    recipe = make_recipe(steps=10, batch_size=4, gradient_accumulation=5)
    assert passes_over(recipe, 100) == 2.0
