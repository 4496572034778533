"""A base model that is built in a test within seconds."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.training.libraries import import_torch_patiently
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
    """The folder of the model, built once for all tests of a process.

    On one thread the same training gives the same bytes, whatever the machine has and does beside
    it; and at this size a second thread only waits.
    """
    import_torch_patiently()
    import torch

    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("base") / "micro"
    build_base(MICRO, folder)
    return folder
