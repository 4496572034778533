"""What `harness init` writes and refuses, and how `harness serve` puts its key away."""

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
from harness.cli.main import main
from tests.shop import config


def call(*arguments: str) -> int:
    with pytest.raises(SystemExit) as left:
        main(list(arguments))
    code = left.value.code
    assert isinstance(code, int)
    return code


def test_the_next_step_can_be_pasted_and_what_is_made_later_is_ignored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert call("init", "my bot; ls") == 0
    assert "next: cd 'my bot; ls' && harness validate" in capsys.readouterr().out
    made = {path.name for path in (tmp_path / "my bot; ls").iterdir()}
    assert made == {".gitignore", ".harness", "harness.yaml", "suites"}
    assert (tmp_path / "my bot; ls/.gitignore").read_text() == ".harness/\nreports/\n"


def test_a_gitignore_that_exists_is_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / ".gitignore").write_text("mine\n")
    assert call("init", str(tmp_path)) == 0
    assert (tmp_path / ".gitignore").read_text() == "mine\n"
    assert "kept; it should hold .harness/ and reports/" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("ftp://x", "error: --url: must be host, host/v1 or the full route, by http or https\n"),
        ("nonsense", "error: --url: is a word and no address - if a host is called so, write it "),
        ("not a url", "error: --url: must be host, host/v1 or the full route, by http or https\n"),
        ("https://x?key=s3cret", "error: --url: must hold no query and no fragment; "),
    ],
)
def test_a_url_that_no_run_would_take_is_refused_before_anything_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], url: str, said: str
) -> None:
    assert call("init", str(tmp_path / "new"), "--url", url) == 2
    shown = capsys.readouterr().err
    assert shown.startswith(said)
    assert shown.count("\n") == 1
    assert "s3cret" not in shown
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("url", ["vllm:8000", "http://vllm", "localhost", "chat.example.com"])
def test_what_can_be_a_host_is_taken(tmp_path: Path, url: str) -> None:
    assert call("init", str(tmp_path), "--url", url) == 0
    written = yaml.safe_load((tmp_path / "harness.yaml").read_text())
    assert url in [server.get("url") for server in written["servers"].values()]


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
