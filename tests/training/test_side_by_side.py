"""Two candidates trained at once, in processes of their own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.errors import RecipeError
from harness.records.recipe import Recipe
from harness.training.side_by_side import train_side_by_side

MakeRecipe = Callable[..., Recipe]


def test_all_are_trained_and_told_of_in_the_order_of_their_recipes(
    project: Path, recipe: MakeRecipe
) -> None:
    told: set[str] = set()
    dossiers = train_side_by_side(
        [recipe(name="one", steps=3), recipe(name="two", steps=2)],
        project_dir=project,
        on_progress=lambda stage, done, total, detail: told.add(f"{stage} {done}/{total}"),
    )
    assert [(one.name, one.steps_done) for one in dossiers] == [("one", 3), ("two", 2)]
    assert {"training one 3/3", "training two 2/2"} <= told
    for one in dossiers:
        assert (project / ".harness/candidates" / one.name / "candidate.json").is_file()


def test_an_error_of_one_is_the_error_and_the_other_is_kept(
    project: Path, recipe: MakeRecipe
) -> None:
    with pytest.raises(RecipeError, match="no base model at nowhere"):
        train_side_by_side(
            [recipe(name="bad", base="nowhere"), recipe(name="fine", steps=2)],
            project_dir=project,
        )
    assert (project / ".harness/candidates/fine/candidate.json").is_file()
