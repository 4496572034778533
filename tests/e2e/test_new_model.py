"""A new project with a base of its own, from `init` to a candidate, on a model made in the test."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.training.candidate import DOSSIER, load_recipe
from tests.cli.builders import call
from tests.micro_base import micro_base  # noqa: F401 - the fixture

pytestmark = pytest.mark.slow


def test_a_first_candidate_is_trained_with_the_project_as_it_is_made(
    micro_base: Path,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert call("init", "bot", "--model", str(micro_base)) == 0
    monkeypatch.chdir("bot")
    assert call("validate") == 0
    # Two steps for sixty, and conversations cut to what so small a base can take.
    recipe = Path("recipes/first.yaml")
    recipe.write_text(recipe.read_text().replace("steps: 60", "steps: 2"))
    assert call("train", str(recipe)) == 0
    candidate = Path(".harness/candidates/first")
    assert (candidate / DOSSIER).is_file()
    assert load_recipe(recipe).max_length == 128
    capsys.readouterr()
    assert call("validate") == 0
    said = capsys.readouterr()
    assert "first: LoRA of rank 16, alpha 32" in said.out
    # So small a base has no room for the suite's longest question, and validate says so.
    assert all("is more than a context of 128 tokens" in each for each in said.err.splitlines())
