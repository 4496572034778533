"""A model small enough to train in a test, and a project around it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.records.recipe import Recipe
from tests.micro_base import micro_base

__all__ = ["micro_base"]


def line(group: str, question: str, answer: str) -> str:
    messages = [
        {"role": "user", "content": question},
        {"role": "assistant", "content": answer},
    ]
    return json.dumps({"group": group, "messages": messages})


@pytest.fixture
def project(tmp_path: Path, micro_base: Path) -> Path:
    models = tmp_path / ".harness" / "models"
    models.mkdir(parents=True)
    (models / "micro").symlink_to(micro_base)
    lines = [line(f"g{n % 6}", f"Question {n}?", f"Answer {n % 6}.") for n in range(24)]
    (tmp_path / "data.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return tmp_path


@pytest.fixture
def recipe() -> Callable[..., Recipe]:
    def make(**changes: object) -> Recipe:
        settings: dict[str, object] = {
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
        return Recipe.model_validate({**settings, **changes})

    return make
