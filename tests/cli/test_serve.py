"""`harness serve`: what it prints, and what it puts away."""

from __future__ import annotations

import fcntl
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from harness.cli import serve
from harness.client.metrics import Metrics
from harness.targets.endpoint import Endpoint
from harness.targets.running_server import ServedContent, publish
from tests.cli.builders import call
from tests.manual_clock import ManualClock
from tests.shop import config

CONTENT = ServedContent(
    server="own", replicas=1, identities={}, folders={}, python="", packages={}, environment={}
)


async def nothing_counted(*_: Any) -> None:
    return None


def test_serve_tells_every_url_and_puts_its_own_key_away_when_it_is_terminated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data = config("http://127.0.0.1:1")
    data["servers"]["own"] = {"engine": "vllm", "model": "m"}
    data["targets"]["mine"] = {"server": "own"}
    (tmp_path / "harness.yaml").write_text(yaml.safe_dump(data))
    own = tmp_path / f".harness/serve-{os.getpid()}.key"
    file = own.with_suffix(".json")
    other = tmp_path / ".harness/serve-1.key"
    stopped = []

    def alive() -> bool:
        assert own.read_text() == "k"
        assert own.stat().st_mode & 0o777 == 0o600
        assert file.stat().st_mode & 0o777 == 0o600
        other.write_text("another process")
        os.kill(os.getpid(), signal.SIGTERM)
        return True

    @contextmanager
    def start(*_: Any) -> Iterator[tuple[SimpleNamespace, ServedContent]]:
        managed = SimpleNamespace(serving=alive)
        try:
            yield SimpleNamespace(urls=("u", "v"), api_key="k", managed=managed), CONTENT
        finally:
            stopped.append(True)

    monkeypatch.setattr(serve, "start", start)
    monkeypatch.setattr(serve, "scrape", nothing_counted)
    before = signal.getsignal(signal.SIGTERM)
    assert call("serve", "--config", str(tmp_path / "harness.yaml")) == 128 + signal.SIGTERM
    assert "url: u\nurl: v\n" in capsys.readouterr().out
    assert stopped == [True]
    assert not own.exists()
    assert not file.exists()
    assert other.exists()
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize(
    ("given", "code"), [("90", 2), ("0m", 2), ("soon", 2), ("1.5h", 2), ("never", 2)]
)
def test_what_is_no_time_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], given: str, code: int
) -> None:
    assert call("serve", "--idle", given, "--config", str(tmp_path / "none.yaml")) == code
    refused = "is no time: write 90s, 30m, 2h or never" in capsys.readouterr().err
    assert refused == (given not in ("1.5h", "never"))


def test_requests_of_others_and_commands_that_use_it_keep_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, clock = tmp_path / "serve-1.json", ManualClock()
    publish(path, CONTENT, ("http://h/v1",), "k", tmp_path / "log")
    counted = [Metrics(prompt_tokens=1.0, running=0.0, started=5.0)]

    async def scrape(*_: Any) -> Metrics:
        return counted[0]

    monkeypatch.setattr(serve, "scrape", scrape)
    watch = serve.IdleWatch(Endpoint(("http://h/v1",), "k"), path, clock)
    clock.advance(10.0)
    assert watch.idle_for() == 10.0
    counted[0] = Metrics(prompt_tokens=2.0, running=0.0, started=5.0)
    clock.advance(10.0)
    assert watch.idle_for() == 0.0
    counted[0] = Metrics(prompt_tokens=2.0, running=1.0, started=5.0)
    clock.advance(10.0)
    assert watch.idle_for() == 0.0
    counted[0] = Metrics(prompt_tokens=2.0, running=0.0, started=5.0)
    clock.advance(10.0)
    with path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        assert watch.idle_for() == 0.0
    clock.advance(10.0)
    assert watch.idle_for() == 0.0  # what was asked meanwhile is seen now
    clock.advance(10.0)
    assert watch.idle_for() == 10.0
