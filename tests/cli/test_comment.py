"""`harness comment`, against a forge on loopback."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ci.fake_forge import FakeForge, Fault
from tests.cli.builders import call

BODY = "<!-- harness gate good * harness.yaml -->\n### ✅ PROMOTE\n"


@pytest.fixture
def forge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeForge]:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "out").mkdir()
    (tmp_path / "out/comment.md").write_text(BODY)
    (tmp_path / "event.json").write_text(json.dumps({"pull_request": {"number": 5}}))
    with FakeForge() as running:
        monkeypatch.delenv("CI_API_V4_URL", raising=False)
        monkeypatch.setenv("GITHUB_API_URL", running.url)
        monkeypatch.setenv("GITHUB_REPOSITORY", "o/r")
        monkeypatch.setenv("GITHUB_EVENT_PATH", "event.json")
        monkeypatch.setenv("GITHUB_TOKEN", running.token)
        yield running


def test_the_comment_is_posted_and_then_found(
    forge: FakeForge, capsys: pytest.CaptureFixture[str]
) -> None:
    assert [call("comment", "out"), call("comment", "out")] == [0, 0]
    url = forge.comments[5][0]["html_url"]
    assert capsys.readouterr().out == f"comment posted: {url}\ncomment unchanged: {url}\n"
    assert forge.bodies(5) == [BODY]


def test_a_push_is_told_and_no_error(forge: FakeForge, capsys: pytest.CaptureFixture[str]) -> None:
    Path("event.json").write_text("{}")
    assert call("comment", "out") == 0
    assert capsys.readouterr().out == "no comment: this job runs for no pull request\n"
    assert call("comment", "out", "--request", "6") == 0
    assert forge.bodies(6) == [BODY]


def test_a_fork_s_token_is_told_once_and_no_error(
    forge: FakeForge, capsys: pytest.CaptureFixture[str]
) -> None:
    forge.faults = [Fault("POST", 403)]
    assert call("comment", "out") == 0
    shown = capsys.readouterr()
    assert shown.out.count("\n") == 1
    assert "the token may not write one (403 no); jobs of forks" in shown.out
    assert shown.err == ""


def test_what_is_wrong_otherwise_is_an_error(
    forge: FakeForge, capsys: pytest.CaptureFixture[str]
) -> None:
    forge.faults = [Fault("POST", 422)]
    assert call("comment", "out") == 3
    assert "error: POST " in capsys.readouterr().err


def test_the_token_is_never_shown(forge: FakeForge, capsys: pytest.CaptureFixture[str]) -> None:
    forge.token = "another"
    assert call("comment", "out") == 0
    shown = capsys.readouterr()
    assert "401 Bad credentials" in shown.out
    assert "secret-token" not in shown.out + shown.err


@pytest.mark.parametrize(
    ("text", "told"),
    [(None, "no such file"), ("# Hello\n", "is no comment of a gate")],
)
def test_a_folder_without_a_gate_s_comment_is_refused(
    text: str | None, told: str, forge: FakeForge, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("out/comment.md").unlink()
    if text is not None:
        Path("out/comment.md").write_text(text)
    assert call("comment", "out") == 2
    assert told in capsys.readouterr().err
    assert forge.asked == []
