"""What `harness init` writes and refuses, and how `harness serve` puts its key away."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.cli.builders import call
from tests.conftest import ThreadedMock


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
        ("https://x?key=s3cret", "error: --url: must hold no fragment, and no query but "),
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


def test_init_makes_a_project_that_validates_and_runs(
    tmp_path: Path,
    mock: ThreadedMock,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    mock.answer = lambda body: f"Sorry, I can't help with that, says {body['model']}."
    monkeypatch.chdir(tmp_path)
    assert call("init", "new", "--url", mock.url) == 0
    monkeypatch.chdir(tmp_path / "new")
    assert call("validate") == 0
    shown = capsys.readouterr()
    assert "ok: 1 suite, 2 targets, 4 rules" in shown.out
    assert shown.err == ""
    assert call("lint", "--strict") == 0
    assert call("run", "base", "candidate") == 0
    assert call("gate", "candidate") in (1, 4)
    monkeypatch.chdir(tmp_path)
    assert call("init", "new") == 2
    assert "exists already" in capsys.readouterr().err
