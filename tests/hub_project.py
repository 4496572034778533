"""Fixtures around a model hub on loopback, and a watcher; the client is imported when used."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.hub import resolve
from tests.hub_server import HubServer


class Heard:
    """A watcher that keeps what it hears."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.counts: list[tuple[str, int, int]] = []

    def say(self, text: str) -> None:
        self.lines.append(text)

    def progress(self, stage: str, done: int, total: int, detail: str) -> None:
        self.counts.append((stage, done, total))

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


@pytest.fixture
def hub_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache, empty, of a process that has asked nothing yet and has no token."""
    return use_cache(monkeypatch, tmp_path / "hub-cache")


def use_cache(monkeypatch: pytest.MonkeyPatch, cache: Path) -> Path:
    """The cache that the client has from now on, as HF_HUB_CACHE makes it for a new process."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(cache / "no-token"))
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "CI"):
        monkeypatch.delenv(name, raising=False)
    for proxy in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(proxy, raising=False)
    new_process(monkeypatch)
    return cache


@pytest.fixture
def hub(hub_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    with HubServer() as server:
        use_hub(monkeypatch, server.url)
        yield server


def use_hub(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """Make the client ask the hub at that address, as HF_ENDPOINT does for a new process."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", url)
    template = url + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)


def new_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget what this process has asked and said, as a new one has."""
    from huggingface_hub import _tree_cache

    monkeypatch.setattr(resolve, "_answers", {})
    monkeypatch.setattr(resolve, "_said", set())
    monkeypatch.setattr(_tree_cache, "_IN_MEMORY_TREE_CACHE", {})
