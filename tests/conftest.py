"""Fixtures that any floor may use."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadFileScheduling

from tests.hub_project import hub, hub_cache
from tests.mock_server import MockServer
from tests.shop import answer, write_project

# A shell starts what runs in its background with Ctrl-C ignored, and so would every child be.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# A busy machine draws and runs examples slowly; that says nothing about the code under test.
settings.register_profile(
    "any-machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any-machine")

__all__ = ["hub", "hub_cache"]  # fixtures

LONGEST = "tests/e2e/test_demo.py"  # it trains
ONE_SERVER = "tests/e2e/vllm/"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first, so that all others run beside it and none is left waiting for it."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONGEST))


class Distribution(LoadFileScheduling):
    """The tests of a file in one process, and those of all files that share a server."""

    def _split_scope(self, nodeid: str) -> str:
        return ONE_SERVER if nodeid.startswith(ONE_SERVER) else super()._split_scope(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Distribution:
    return Distribution(config, log)


class ThreadedMock:
    """A mock server in a thread of its own, so that a command under test may block."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.server = MockServer(lambda body: self.answer(body), models=("base", "candidate"))
        self.answer = answer
        self._others = AsyncExitStack()
        self._wait(self.server.__aenter__())
        self.url = self.server.url

    def during(self, other: AbstractAsyncContextManager[object]) -> None:
        """Let another server run in this thread until this one is stopped."""
        self._wait(self._others.enter_async_context(other))

    def stop(self) -> None:
        self._wait(self._others.aclose())
        self._wait(self.server.__aexit__(None, None, None))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _wait(self, work) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)


@pytest.fixture
def mock() -> Iterator[ThreadedMock]:
    running = ThreadedMock()
    yield running
    running.stop()


@pytest.fixture
def project_dir(tmp_path: Path, mock: ThreadedMock, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose targets `base` and `candidate` are on the mock server; the current folder."""
    write_project(tmp_path, mock.url)
    monkeypatch.chdir(tmp_path)
    return tmp_path
