"""A base model that is built in a test within seconds."""

from __future__ import annotations

from pathlib import Path

import pytest

from recipes.tiny_base import TinyRecipe, build_base

MICRO = TinyRecipe(
    name="micro",
    vocabulary=320,
    hidden=64,
    intermediate=128,
    layers=1,
    heads=2,
    context=128,
    conversations=60,
    copying_steps=2,
    steps=4,
    batch_size=4,
    warmup_steps=1,
)


@pytest.fixture(scope="session")
def micro_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the model, built once for all tests of a process."""
    folder = tmp_path_factory.mktemp("base") / "micro"
    build_base(MICRO, folder)
    return folder
