from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from harness.records.run import RunRecord
from harness.storage.remote_store import Store
from tests.storage.bucket import Bucket, serving
from tests.storage.builders import (
    a_run,
)


@pytest.fixture(scope="session")
def bucket() -> Iterator[Bucket]:
    with serving() as running:
        yield running


@pytest.fixture(params=["s3", "memory", "file", "path"])
def url(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A fresh place of each kind."""
    if request.param == "s3":
        reached: Bucket = request.getfixturevalue("bucket")
        for name, value in reached.environment.items():
            monkeypatch.setenv(name, value)
        return f"{reached.url}/{uuid4().hex}"
    places = {
        "memory": f"memory://{uuid4().hex}",
        "file": f"file://{tmp_path}/mirror",
        "path": f"{tmp_path}/mirror",
    }
    return places[request.param]


@pytest.fixture
def run(tmp_path: Path) -> RunRecord:
    return a_run(tmp_path / "project")


@pytest.fixture
def store(url: str) -> Store:
    return Store.open(url)
