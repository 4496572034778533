"""A project that several tests only look at."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ThreadedMock
from tests.pytest_plugin.builders import write


@pytest.fixture(scope="module")
def shared_mock() -> Iterator[ThreadedMock]:
    running = ThreadedMock()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def shared_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("project")


@pytest.fixture
def project(project_dir: Path, mock: ThreadedMock) -> Path:
    return write(project_dir, mock)
