"""`harness chat`: what is typed is asked, what comes is printed, and nothing is kept."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from harness.cli.chat import columns
from harness.cli.main import main
from tests.cli.builders import call
from tests.conftest import ThreadedMock
from tests.mock_server import MockReply


def typed(monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{line}\n" for line in lines)))


def test_every_answer_hears_what_was_said_before_and_nothing_is_recorded(
    project_dir: Path,
    mock: ThreadedMock,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    typed(monkeypatch, "What is fact 4?", "", "What is fact 8?", "/new", "What is fact 12?")
    assert call("chat", "base") == 0
    assert capsys.readouterr().out == "It is value 4.\nIt is value 8.\nIt is value 12.\n"
    bodies = [one["messages"] for one in mock.server.requests]
    said = [[turn["content"] for turn in turns if turn["role"] != "system"] for turns in bodies]
    assert said[-3:] == [
        ["What is fact 4?"],
        ["What is fact 4?", "It is value 4.", "What is fact 8?"],
        ["What is fact 12?"],
    ]
    assert not list((project_dir / ".harness").glob("runs/*"))
    assert not (project_dir / ".harness/journals.jsonl").exists()


def test_two_answer_side_by_side(
    project_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    typed(monkeypatch, "What is fact 5?")
    assert call("chat", "base", "candidate") == 0
    head, line = capsys.readouterr().out.splitlines()
    assert head.split() == ["base", "|", "candidate"]
    assert [cell.strip() for cell in line.split("|")] == [
        "I have no idea at all.",
        "It is value 5.",
    ]
    assert line.index("|") == head.index("|")


def test_a_stream_that_breaks_off_ends_a_script_with_3(
    project_dir: Path,
    mock: ThreadedMock,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    mock.answer = lambda _: MockReply(text="It is", fault="reset_midstream")
    typed(monkeypatch, "What is fact 4?", "What is fact 8?")
    assert call("chat", "base") == 3
    assert "error: `base` did not answer: " in capsys.readouterr().err
    assert len(mock.server.requests) == 1


@pytest.mark.parametrize("asked_by_hand", [True, False])
def test_nothing_of_a_failed_answer_is_a_command_to_the_terminal(
    project_dir: Path,
    mock: ThreadedMock,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    asked_by_hand: bool,
) -> None:
    mock.answer = lambda _: MockReply("no \x1b]0;x\x07 \u202e", status=400)
    typed(monkeypatch, "What is fact 4?")
    monkeypatch.setattr("sys.stdin.isatty", lambda: asked_by_hand, raising=False)
    assert call("chat", "base") == (0 if asked_by_hand else 3)
    assert "no \u241b]0;x\u2407 \u27e8U+202E\u27e9" in capsys.readouterr().err


def test_what_is_no_text_is_told(
    project_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for errors in ("strict", "surrogateescape"):
        given = io.TextIOWrapper(io.BytesIO(b"fa\xe7ade\n"), encoding="utf-8", errors=errors)
        monkeypatch.setattr("sys.stdin", given)
        assert call("chat", "base") == 2
        assert "error: standard input: is not UTF-8" in capsys.readouterr().err


def test_wrong_names_are_told_before_anything_is_asked(
    project_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for arguments, told in (
        (("nobody",), "no target `nobody`"),
        (("base", "candidate", "third"), "3 targets are named"),
        (("base", "--suite", "none"), "no suite `none`"),
    ):
        assert call("chat", *arguments) == 2
        assert told in capsys.readouterr().err


def test_ctrl_c_ends_it(project_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr("sys.stdin", io.StringIO())
    monkeypatch.setattr("sys.stdin.readline", interrupted, raising=False)
    with pytest.raises(SystemExit) as left:
        main(["chat", "base"])
    assert left.value.code == 130


def test_columns_wrap_and_stand_below_each_other_where_there_is_no_room() -> None:
    lines = list(columns(("a", "b"), ("one two three\n\nfour", "x\x1b[31m"), 80))
    assert lines[0].startswith("a ")
    assert len(lines) == 4
    assert "\x1b" not in "".join(lines)
    assert list(columns(("a", "b"), ("one", "two"), 40)) == ["a: one", "b: two"]
