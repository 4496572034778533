"""`harness doctor` at the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.doctor import machine
from tests.cli.builders import call
from tests.conftest import ThreadedMock
from tests.mock_server import MockReply

KEY = "s3cret-s3cret"


@pytest.fixture(autouse=True)
def answering(mock: ThreadedMock) -> None:
    mock.answer = lambda _: "an answer"


def with_server(folder: Path, lines: str) -> None:
    path = folder / "harness.yaml"
    text = path.read_text()
    assert "url:" in text
    path.write_text(f"{text}".replace("url:", f"{lines}\n    url:"))


def test_a_target_that_can_be_used(
    project_dir: Path, mock: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("doctor", "base", "base") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"base: `base` on main ({mock.url})"
    assert lines[1].split()[:2] == ["address", "ok"]
    assert lines[-1] == "  can be used"
    assert len(lines) < 20  # once, though it was named twice


def test_json_and_codes(
    project_dir: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with_server(project_dir, "api_key_env: A_KEY")
    assert call("doctor", "base", "--json") == 2
    monkeypatch.setenv("A_KEY", KEY)
    capsys.readouterr()
    assert call("doctor", "base", "candidate", "--json") == 0
    text = capsys.readouterr().out
    found = json.loads(text)
    assert [one["subject"] for one in found] == ["base", "candidate"]
    assert {step["outcome"] for one in found for step in one["steps"]} <= {"ok", "cannot"}
    assert KEY not in text


def test_a_server_that_is_away(project_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = project_dir / "harness.yaml"
    text = path.read_text()
    start = text.index("http://")
    path.write_text(text.replace(text[start:].split()[0].rstrip("}"), "http://127.0.0.1:1/v1"))
    assert call("doctor", "base") == 3
    out = capsys.readouterr().out
    assert "Connection refused" in out
    assert "not tried: proxy, TLS" in out
    assert "cannot be used as it is" in out


def test_what_a_server_says_cannot_move_the_cursor(
    project_dir: Path, mock: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    mock.answer = lambda _: MockReply("no \x1b[2J\nat all", status=400)
    assert call("doctor", "base") == 3
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "no ␛[2J at all" in out


def test_the_machine_with_and_without_a_project(
    project_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(machine, "vllm_version", lambda: None)
    monkeypatch.setattr(machine, "gpus", lambda: None)
    assert call("doctor") == 0
    (project_dir / "harness.yaml").unlink()
    assert call("doctor") == 0
    assert capsys.readouterr().out.count("this machine: ") == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nobody"], "no target `nobody`"),
        (["--start"], "--start goes with a TARGET"),
        (["--config", "elsewhere.yaml"], "no such file"),
    ],
)
def test_wrong_input(
    arguments: list[str], words: str, project_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("doctor", *arguments) == 2
    assert words in capsys.readouterr().err


def test_a_configuration_that_cannot_be_read(
    project_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project_dir / "harness.yaml").write_text("nonsense: [")
    assert call("doctor") == 2
    assert capsys.readouterr().err.startswith("error: harness.yaml")
