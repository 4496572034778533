"""Fixtures of the forge's tests."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ci.fake_forge import FakeForge


@pytest.fixture
def forge() -> Iterator[FakeForge]:
    with FakeForge() as running:
        yield running


@pytest.fixture
def github(forge: FakeForge, tmp_path: Path) -> dict[str, str]:
    """The variables of a job for pull request 5."""
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"action": "opened", "pull_request": {"number": 5}}))
    return {
        "GITHUB_API_URL": forge.url,
        "GITHUB_REPOSITORY": "o/r",
        "GITHUB_EVENT_PATH": str(event),
        "GITHUB_TOKEN": forge.token,
    }


@pytest.fixture
def gitlab(forge: FakeForge) -> dict[str, str]:
    """The variables of a fork's job for merge request 5."""
    forge.user = {"id": 12, "username": "project_bot"}
    return {
        "CI_API_V4_URL": forge.url,
        "CI_PROJECT_ID": "99",
        "CI_MERGE_REQUEST_PROJECT_ID": "3",
        "CI_MERGE_REQUEST_IID": "5",
        "GITLAB_TOKEN": forge.token,
    }
