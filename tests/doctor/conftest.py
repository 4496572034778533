"""A target at a server of a few routes, as one examination sees it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.clock import SYSTEM_CLOCK
from harness.config import Project, load_project
from harness.doctor.visit import Visit, patient
from harness.targets.client_stack import open_stack
from harness.targets.endpoint import model_name, remote_endpoint

KEY = "s3cret-s3cret"
Visiting = Callable[..., AbstractAsyncContextManager[Visit]]


def project_in(folder: Path, server: dict[str, Any], **target: Any) -> Project:
    settings = {
        "suites": ["suites/none"],
        "servers": {"main": server},
        "targets": {"it": {"server": "main", "model": "m", **target}},
    }
    (folder / "harness.yaml").write_text(yaml.safe_dump(settings))
    return load_project(folder / "harness.yaml")


@pytest.fixture
def visiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Visiting:
    """Opens a visit at the url; `keyed` sends a key from A_KEY."""
    monkeypatch.setenv("A_KEY", KEY)

    @asynccontextmanager
    async def visit(url: str, *, keyed: bool = False, **target: Any) -> AsyncIterator[Visit]:
        server = {"url": url, **({"api_key_env": "A_KEY"} if keyed else {})}
        project = project_in(tmp_path, server, **target)
        endpoint = remote_endpoint(project.config.servers["main"], "main", project.file)  # type: ignore[arg-type]
        settings = patient(project.generation("it"))
        async with open_stack(endpoint, settings, SYSTEM_CLOCK) as clients:
            name = model_name(project, "it")
            yield Visit(project, "it", name, endpoint, endpoint.urls[0], clients.client, settings)

    return visit
