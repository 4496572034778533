"""A model small enough to train in a test, and a project around it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.training.candidate import Dossier, Recipe
from harness.training.train import train
from tests.micro_base import micro_base

__all__ = ["micro_base"]


def line(group: str, question: str, answer: str) -> str:
    messages = [
        {"role": "user", "content": question},
        {"role": "assistant", "content": answer},
    ]
    return json.dumps({"group": group, "messages": messages})


SETTINGS: dict[str, object] = {
    "name": "cand",
    "base": ".harness/models/micro",
    "data": ["data.jsonl"],
    "rank": 2,
    "alpha": 4,
    "learning_rate": 0.01,
    "steps": 6,
    "batch_size": 4,
    "max_length": 64,
    "validation_share": 0.2,
    "evaluate_every": 3,
    "checkpoint_every": 2,
}


def make_recipe(**changes: object) -> Recipe:
    return Recipe.model_validate({**SETTINGS, **changes})


def write_project(folder: Path, base: Path) -> Path:
    models = folder / ".harness" / "models"
    models.mkdir(parents=True)
    (models / "micro").symlink_to(base)
    lines = [line(f"g{n % 6}", f"Question {n}?", f"Answer {n % 6}.") for n in range(24)]
    (folder / "data.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


@pytest.fixture(autouse=True)
def without_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Training on a GPU does not give the same bytes twice."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")


@pytest.fixture
def project(tmp_path: Path, micro_base: Path) -> Path:
    return write_project(tmp_path, micro_base)


@pytest.fixture
def recipe() -> Callable[..., Recipe]:
    return make_recipe


@dataclass(frozen=True, slots=True)
class Trained:
    """A project with the candidate of the plain recipe, and what was told while it trained."""

    project: Path
    dossier: Dossier
    progress: list[tuple[int, str]]

    @property
    def folder(self) -> Path:
        return self.project / ".harness" / "candidates" / "cand"


@pytest.fixture(scope="session")
def trained_once(tmp_path_factory: pytest.TempPathFactory, micro_base: Path) -> Trained:
    folder = write_project(tmp_path_factory.mktemp("trained"), micro_base)
    progress: list[tuple[int, str]] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CUDA_VISIBLE_DEVICES", "")
        dossier = train(
            make_recipe(),
            project_dir=folder,
            on_progress=lambda _stage, done, _total, detail: progress.append((done, detail)),
        )
    return Trained(folder, dossier, progress)


@pytest.fixture
def trained(trained_once: Trained, tmp_path: Path) -> Trained:
    """A copy of the trained project, to change at will."""
    folder = tmp_path / "trained"
    shutil.copytree(trained_once.project, folder, symlinks=True)
    return Trained(folder, trained_once.dossier, trained_once.progress)
