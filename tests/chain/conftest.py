"""Chains of tiny models, each on a server of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.chain.examine import ChainSettings, examine
from harness.chain.hop import Hop
from harness.cli.console import Console
from harness.config import load_project
from harness.sections.section_kinds import load_suites
from tests.chain.tiny_model import ADAPTED, BASE
from tests.conftest import ThreadedMock
from tests.mock_server import MockServer
from tests.shop import config, write_project

Examine = Callable[..., list[Hop]]
Serve = Callable[..., list[str]]


@pytest.fixture
def serve(tmp_path: Path, mock: ThreadedMock, monkeypatch: pytest.MonkeyPatch) -> Serve:
    """Writes a project whose targets are the links, and gives their names.

    `adapter` is beside its base; each other link is a model alone, named by its key.
    """

    def served(
        links: dict[str, Any],
        folders: dict[str, Path] | None = None,
        adapter: Any = ADAPTED,
        base: Any = BASE,
    ) -> list[str]:
        settings: dict[str, Any] = config("http://127.0.0.1:1")
        settings["servers"], settings["targets"] = {}, {}
        first = BASE_OF_ADAPTER
        everything = {"adapter": adapter, **links}
        for name, model in everything.items():
            names = {name: first, first: None} if name == "adapter" else {name: None}

            def answer(body: dict[str, Any], model: Any = model) -> Any:
                return (base if body["model"] == first else model).answer(body)

            server = MockServer(
                answer,
                models=names,
                context=model.context if model.refuses_long else None,
                roots={one: str(path) for one, path in (folders or {}).items()},
                tokenize=lambda body, model=model: model.tokens(body["messages"]),
            )
            mock.during(server)
            settings["servers"][name] = {"url": server.url}
            settings["targets"][name] = {"server": name, "model": name}
        settings["gate"] = None
        settings["generation"] = {"concurrency": 8, "retries": 0, "max_tokens": 16}
        (tmp_path / "harness.yaml").write_text(yaml.safe_dump(settings))
        return list(everything)

    write_project(tmp_path, "http://127.0.0.1:1")
    monkeypatch.chdir(tmp_path)
    return served


BASE_OF_ADAPTER = "the-base"


@pytest.fixture
def chained(serve: Serve, tmp_path: Path) -> Examine:
    """The hops of the chain from the adapter over the links, by their probes."""

    def run(links: dict[str, Any], *given: Any, **forms: Any) -> list[Hop]:
        names = serve(links, *given, **forms)
        project = load_project(tmp_path / "harness.yaml")
        settings = ChainSettings(suites=False)
        return examine(project, names, load_suites(project), settings, Console())

    return run
