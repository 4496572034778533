"""One training divided among processes of this machine."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from threading import Event
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from harness.errors import RecipeError, TrainingError, UsageError
from harness.training import ranks
from harness.training.candidate import Dossier, Recipe
from harness.training.ranks import share
from harness.training.train import train

MakeRecipe = Callable[..., Recipe]
WEIGHTS = ".harness/candidates/cand/adapter_model.safetensors"


@pytest.mark.parametrize(
    ("batch", "accumulated", "processes", "expected"),
    [(8, 1, 2, (4, 1)), (8, 4, 2, (8, 2)), (6, 2, 4, (3, 1)), (4, 3, 6, (2, 1)), (5, 1, 1, (5, 1))],
)
def test_a_step_has_as_many_examples_as_in_one_process(
    recipe: MakeRecipe, batch: int, accumulated: int, processes: int, expected: tuple[int, int]
) -> None:
    found = share(recipe(batch_size=batch, gradient_accumulation=accumulated), processes)
    assert (found.batch_size, found.gradient_accumulation) == expected
    assert found.batch_size * found.gradient_accumulation * processes == batch * accumulated


def test_a_step_that_cannot_be_divided_is_refused(recipe: MakeRecipe) -> None:
    with pytest.raises(RecipeError, match="a step of 5 x 3 examples") as caught:
        share(recipe(batch_size=5, gradient_accumulation=3), 6)
    assert "make `batch_size` a multiple of 2" in caught.value.line


def stop_at(step: int) -> Callable[[str, int, int, str], None]:
    def stop(_stage: str, done: int, _total: int, _detail: str) -> None:
        if done == step:
            raise KeyboardInterrupt

    return stop


def test_two_processes_learn_what_one_learns(project: Path, recipe: MakeRecipe) -> None:
    """Begun by one and resumed by two in the second epoch: each step has the same examples."""
    wanted, said = recipe(batch_size=8), list[str]()
    with pytest.raises(KeyboardInterrupt):
        train(wanted, project_dir=project, on_progress=stop_at(5))
    dossier = train(wanted, project_dir=project, processes=2, on_say=said.append)
    assert (dossier.resumed_from, dossier.steps_done, dossier.processes) == (4, 6, 2)
    assert dossier.recipe == wanted
    weights = load_file(project / WEIGHTS)
    alone = train(wanted, project_dir=project, force=True)
    assert dossier.best_validation_loss == pytest.approx(alone.best_validation_loss, abs=1e-3)
    for name, values in load_file(project / WEIGHTS).items():
        np.testing.assert_allclose(values, weights[name], atol=1e-3)
    assert sum(": learns " in line for line in said) == 1
    assert any("for each of 2 processes" in line for line in said)
    assert "processes" not in alone.model_dump(mode="json")
    assert Dossier.model_validate(alone.model_dump(mode="json")).processes == 1


def refusing(_job: Any, _divided: Any, place: tuple[int, int, int], reports: Any) -> None:
    if place[0] == 1:
        reports.send(RecipeError("no such thing", where="recipe cand"))
    Event().wait()


def killed(_job: Any, _divided: Any, place: tuple[int, int, int], reports: Any) -> None:
    if place[0] == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    Event().wait()


@pytest.mark.parametrize(
    ("work", "error", "words"),
    [
        (refusing, RecipeError, "recipe cand: no such thing"),
        (killed, TrainingError, "its process ended with exit code -9 and without a result"),
    ],
)
def test_the_error_of_any_process_ends_all_of_them(
    project: Path,
    recipe: MakeRecipe,
    monkeypatch: pytest.MonkeyPatch,
    work: Callable[..., None],
    error: type[Exception],
    words: str,
) -> None:
    monkeypatch.setattr(ranks, "_work", work)
    with pytest.raises(error, match=words):
        train(recipe(), project_dir=project, processes=2)
    assert not (project / WEIGHTS).exists()


def test_one_that_was_killed_is_named_and_not_one_that_misses_it() -> None:
    lost = TrainingError("connection closed by peer")
    for code, words in ((-9, "exit code -9"), (0, "closed by peer"), (None, "closed by peer")):
        processes = [SimpleNamespace(exitcode=one) for one in (None, code)]
        found = ranks._first(lost, "cand", processes)
        assert words in found.line


def test_fewer_gpus_than_processes_are_refused(
    project: Path, recipe: MakeRecipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(UsageError, match="2 processes need as many GPUs, and 1 are here"):
        train(recipe(), project_dir=project, processes=2)
