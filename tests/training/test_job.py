from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import RecipeError
from harness.training import load_recipe

ROOT = Path(__file__).resolve().parents[2]
GOOD = "name: a\nbase: b\ndata: [c.jsonl]\nsteps: 5\n"


@pytest.mark.parametrize("name", ["good", "forgetful", "overeager"])
def test_shipped_recipes_load_and_their_data_is_there(name: str) -> None:
    recipe = load_recipe(ROOT / "recipes" / f"{name}.yaml")
    assert recipe.name == name
    assert all((ROOT / path).is_file() for path in recipe.data)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (GOOD + "ranks: 3\n", "ranks: unknown key"),
        (GOOD.replace("name: a", "name: a/b"), "no slash"),
        (GOOD.replace("name: a", "name: .."), "is no name"),
        (GOOD + "epochs: 2\n", "either steps or epochs"),
        (GOOD.replace("steps: 5\n", ""), "either steps or epochs"),
        (GOOD + "rank: 0\n", "rank: "),
        (GOOD + "method: full\n", "method: "),
        (GOOD + "learning_rate: .nan\n", "learning_rate: "),
        (GOOD.replace("base: b\n", ""), "base: missing key"),
        ("name: [", ""),
    ],
)
def test_a_bad_recipe_is_one_line_that_names_file_and_key(
    tmp_path: Path, text: str, said: str
) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RecipeError) as caught:
        load_recipe(path)
    assert str(path) in caught.value.line
    assert said in caught.value.line
    assert "\n" not in caught.value.line


def test_a_missing_recipe_says_so(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="no such file"):
        load_recipe(tmp_path / "none.yaml")
