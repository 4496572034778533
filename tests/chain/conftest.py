"""Chains of tiny models, each on a server of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.chain.examine import ChainSettings, examine
from harness.chain.hop import Hop
from harness.cli.console import Console
from harness.config import load_project
from harness.sections.section_kinds import load_suites
from tests.chain.form import Form
from tests.chain.tiny_model import ADAPTED, BASE
from tests.conftest import ThreadedMock
from tests.mock_server import MockServer
from tests.shop import config, write_project

Examine = Callable[..., list[Hop]]
Serve = Callable[..., list[str]]


BASE_OF_ADAPTER = "the-base"


def write_links(
    folder: Path,
    mock: ThreadedMock,
    links: Mapping[str, Form],
    adapter: Form,
    base: Form,
    folders: Mapping[str, Path] | None = None,
) -> list[str]:
    """The names of the targets in a project that is written for them.

    `adapter` is beside its base; each other link is a model alone, named by its key.
    """
    write_project(folder, "http://127.0.0.1:1")
    settings: dict[str, Any] = config("http://127.0.0.1:1")
    settings["servers"], settings["targets"] = {}, {}
    everything = {"adapter": adapter, **links}
    for name, model in everything.items():
        names = (
            {name: None} if name != "adapter" else {name: BASE_OF_ADAPTER, BASE_OF_ADAPTER: None}
        )

        def answer(body: dict[str, Any], model: Form = model) -> Any:
            return (base if body["model"] == BASE_OF_ADAPTER else model).answer(body)

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
    (folder / "harness.yaml").write_text(yaml.safe_dump(settings))
    return list(everything)


def hops_of(folder: Path, names: list[str]) -> list[Hop]:
    """The hops of the chain that is written there, by their probes."""
    project = load_project(folder / "harness.yaml")
    settings = ChainSettings(suites=False)
    return examine(project, names, load_suites(project), settings, Console())


@pytest.fixture
def serve(tmp_path: Path, mock: ThreadedMock, monkeypatch: pytest.MonkeyPatch) -> Serve:
    """Writes a project whose targets are the links, and gives their names."""
    monkeypatch.chdir(tmp_path)

    def served(
        links: Mapping[str, Form],
        folders: Mapping[str, Path] | None = None,
        adapter: Form = ADAPTED,
        base: Form = BASE,
    ) -> list[str]:
        return write_links(tmp_path, mock, links, adapter, base, folders)

    return served


@pytest.fixture
def chained(serve: Serve, tmp_path: Path) -> Examine:
    """The hops of the chain from the adapter over the links, by their probes."""

    def run(links: Mapping[str, Form], *given: Any, **forms: Any) -> list[Hop]:
        return hops_of(tmp_path, serve(links, *given, **forms))

    return run
