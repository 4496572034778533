"""One tiny model, and one adapter that fits it."""

from pathlib import Path

import pytest

from tests.serving.made import write_adapter, write_model


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_model(tmp_path / "model")


@pytest.fixture
def adapter(tmp_path: Path) -> Path:
    return write_adapter(tmp_path / "adapter")
