from __future__ import annotations

from typing import Any

import pytest

from harness.targets.recipe_checks import recipe_cautions
from harness.training.candidate import Recipe

RECIPE = {"name": "a", "base": "model", "data": ["x.jsonl"], "steps": 1}


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"rank": 1024}, "rank: 1024 is more than vLLM serves as an adapter, which is 512 at most"),
        ({"dora": True}, "dora: vLLM serves no adapter with DoRA: take it out, or merge it"),
        ({"modules_to_save": ["lm_head"]}, "replaces whole modules (lm_head): take it out, or"),
        ({"learning_rate": 10.0}, "learning_rate: 10 is so high"),
        ({"learning_rate": 1e-12}, "learning_rate: 1e-12 is so low"),
    ],
)
def test_what_would_be_trained_in_vain_is_told(keys: dict[str, Any], words: str) -> None:
    (line,) = recipe_cautions(Recipe.model_validate({**RECIPE, **keys}))
    assert words in line


def test_a_usual_recipe_needs_no_word() -> None:
    for keys in (
        {},
        {"rank": 512, "learning_rate": 6e-3},
        {"method": "dpo", "learning_rate": 1e-6},
    ):
        assert list(recipe_cautions(Recipe.model_validate({**RECIPE, **keys}))) == []
