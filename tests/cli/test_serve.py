"""`harness serve`: what it prints, and what it puts away."""

from __future__ import annotations

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
from tests.cli.builders import call
from tests.shop import config


def test_serve_tells_every_url_and_puts_its_own_key_away_when_it_is_terminated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data = config("http://127.0.0.1:1")
    data["servers"]["own"] = {"engine": "vllm", "model": "m"}
    data["targets"]["mine"] = {"server": "own"}
    (tmp_path / "harness.yaml").write_text(yaml.safe_dump(data))
    own = tmp_path / f".harness/serve-{os.getpid()}.key"
    other = tmp_path / ".harness/serve-1.key"
    stopped = []

    def alive() -> bool:
        assert own.read_text() == "k"
        assert own.stat().st_mode & 0o777 == 0o600
        other.write_text("another process")
        os.kill(os.getpid(), signal.SIGTERM)
        return True

    @contextmanager
    def connect(*_: Any) -> Iterator[SimpleNamespace]:
        try:
            yield SimpleNamespace(
                urls=("u", "v"), api_key="k", managed=SimpleNamespace(serving=alive)
            )
        finally:
            stopped.append(True)

    monkeypatch.setattr(serve, "connect", connect)
    before = signal.getsignal(signal.SIGTERM)
    assert call("serve", "--config", str(tmp_path / "harness.yaml")) == 128 + signal.SIGTERM
    assert "url: u\nurl: v\n" in capsys.readouterr().out
    assert stopped == [True]
    assert not own.exists()
    assert other.exists()
    assert signal.getsignal(signal.SIGTERM) is before
