"""A project that is opened by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.config import Project, load_project


@pytest.fixture
def project(project_dir: Path) -> Project:
    return load_project(project_dir / "harness.yaml")
