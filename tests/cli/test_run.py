"""`harness run`: what is asked, what is used again, and what stops it."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from harness.storage import RunFolder, runs_of
from tests.cli.builders import call, edit_case, texts
from tests.conftest import ThreadedMock
from tests.mock_server import MockReply
from tests.shop import answer
from tests.sites import Site, chat


def test_nothing_finished_is_asked_again_and_failures_are(
    project_dir: Path, mock: ThreadedMock
) -> None:
    def half_broken(body: dict[str, Any]) -> str | MockReply:
        broken = body["messages"][-1]["content"] == "What is fact 1?"
        return MockReply("no", status=400) if broken else answer(body)

    mock.answer = half_broken
    assert call("run", "base") == 0
    assert len(mock.server.requests) == 80
    mock.answer = answer
    assert call("run", "base") == 0
    assert len(mock.server.requests) == 81
    assert call("run", "base") == 0
    assert len(mock.server.requests) == 81
    assert call("run", "base", "--no-cache") == 0
    assert len(mock.server.requests) == 161


def test_a_changed_case_is_the_only_one_asked_again(project_dir: Path, mock: ThreadedMock) -> None:
    assert call("run", "base") == 0
    path = project_dir / "suites/shop/gold.jsonl"
    path.write_text(path.read_text().replace("What is fact 7?", "Which is fact 8?"))
    assert call("run", "base") == 0
    assert len(mock.server.requests) == 81


def test_a_partial_run_counts_its_part_and_a_gate_asks_for_the_rest(
    project_dir: Path, mock: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("run", "base", "--limit", "3", "--json") == 0
    assert json.loads(capsys.readouterr().out)["base"]["accounting"]["planned"] == 6
    assert call("gate", "candidate", "--limit", "3") == 2
    assert call("gate", "candidate") == 0
    assert len(mock.server.requests) == 160


def test_a_server_that_is_not_there(
    project_dir: Path, mock: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    path = project_dir / "harness.yaml"
    path.write_text(path.read_text().replace(mock.url, "http://127.0.0.1:9/v1"))
    assert call("run", "base") == 3
    assert "127.0.0.1:9" in capsys.readouterr().err


def test_a_key_is_asked_of_the_environment_and_shown_nowhere(
    project_dir: Path,
    mock: ThreadedMock,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    mock.server._api_key = "s3cret-key"
    path = project_dir / "harness.yaml"
    assert call("run", "base") == 3
    assert "401" in capsys.readouterr().err
    with_key = f"url: {mock.url}\n    api_key_env: SHOP_KEY"
    path.write_text(path.read_text().replace(f"url: {mock.url}", with_key))
    assert call("run", "base") == 2
    assert "SHOP_KEY is not set" in capsys.readouterr().err
    monkeypatch.setenv("SHOP_KEY", "s3cret-key")
    assert call("gate", "candidate") == 0
    printed = "".join(capsys.readouterr())
    written = [path for path in project_dir.rglob("*") if path.is_file()]
    assert len(written) > 10
    assert not [path for path in written if b"s3cret" in path.read_bytes()]
    assert "s3cret" not in printed


def test_a_run_of_only_errors_is_no_success(
    project_dir: Path, mock: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    mock.answer = lambda _: MockReply("too long", status=400)
    assert call("run", "base") == 3
    assert "none of 80 attempts could be scored" in capsys.readouterr().err
    assert call("gate", "candidate") == 3


def test_a_full_disk_is_one_line(
    project_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert call("run", "base") == 3
    assert "cannot write: No space left on device" in capsys.readouterr().err


def test_no_cache_does_not_touch_a_run_that_another_process_writes(project_dir: Path) -> None:
    assert call("run", "base") == 0
    path = next((project_dir / ".harness/runs").glob("base-*"))
    before = (path / "attempts.jsonl").read_bytes()
    with RunFolder(path).writing():
        assert call("run", "base", "--no-cache") == 3
    assert (path / "attempts.jsonl").read_bytes() == before


def test_a_disk_that_fills_up_in_mid_run_is_one_line(
    project_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = os.fsync
    count = iter(range(1000))

    def fills_up(handle: int) -> None:
        if next(count) > 6:
            raise OSError(28, "No space left on device")
        real(handle)

    monkeypatch.setattr(os, "fsync", fills_up)
    assert call("run", "base") == 3
    shown = capsys.readouterr().err
    assert "cannot write: No space left on device" in shown
    assert "internal" not in shown


@pytest.mark.parametrize("file", ["run.json", "attempts.jsonl", "scores.jsonl"])
def test_a_folder_where_a_file_should_be_is_one_line(
    project_dir: Path, capsys: pytest.CaptureFixture[str], file: str
) -> None:
    assert call("run", "base") == 0
    path = next((project_dir / ".harness/runs").glob("base-*")) / file
    path.unlink()
    path.mkdir()
    assert call("run", "base") == 3
    assert "internal" not in capsys.readouterr().err


def test_answers_from_before_no_cache_are_never_used_again(
    project_dir: Path, mock: ThreadedMock
) -> None:
    mock.answer = lambda _: "OLD"
    for number in range(3):
        assert call("run", "base") == 0
        edit_case(project_dir, number)
    mock.answer = lambda _: "NEW"
    assert call("run", "base", "--no-cache") == 0
    before = len(mock.server.requests)
    edit_case(project_dir, 7)
    assert call("run", "base") == 0
    assert len(mock.server.requests) == before + 1
    for folder in (project_dir / "suites/shop").glob("gold.jsonl"):
        folder.write_text(folder.read_text().replace("Which fact is", "What is fact"))
    assert call("run", "base") == 0
    for folder, header in runs_of(project_dir / ".harness/runs", "base"):
        if header.freshness:
            assert {item.text for item in folder.load().attempts} == {"NEW"}


def test_an_interrupted_no_cache_run_goes_on_with_its_own_answers_alone(
    project_dir: Path, mock: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    mock.answer = lambda _: "OLD"
    assert call("run", "base") == 0
    count = iter(range(1000))

    def breaks_off(_: dict[str, Any]) -> str | MockReply:
        return "NEW" if next(count) < 30 else MockReply("no", status=401)

    mock.answer = breaks_off
    assert call("run", "base", "--no-cache") == 3
    mock.answer = lambda _: "NEW"
    capsys.readouterr()
    assert call("run", "base", "--no-cache") == 0
    # Answers under way when the key was refused may be lost; what was kept is not asked again.
    kept = re.search(r"asking base: (\d+)/80", capsys.readouterr().err)
    assert kept is not None
    assert 22 <= int(kept[1]) <= 30
    assert set(texts(project_dir, "base")) == {"NEW"}


def test_reused_answers_of_a_url_are_said_with_their_age(
    project_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("run", "base") == 0
    assert "used again" not in capsys.readouterr().err
    edit_case(project_dir, 1)
    assert call("run", "base") == 0
    assert "base: 79 stored answers, the first of 20" in capsys.readouterr().err


def test_a_run_taken_over_whole_is_as_fresh_as_what_it_took(
    project_dir: Path, mock: ThreadedMock
) -> None:
    mock.answer = lambda _: "OLD"
    assert call("run", "base") == 0
    lines = (project_dir / "suites/shop/gold.jsonl").read_text()
    changed = lines.replace("value 7", "value 77")  # another expectation, the same prompts
    (project_dir / "suites/shop/gold.jsonl").write_text(changed)
    mock.answer = lambda _: "NEW"
    assert call("run", "base", "--no-cache") == 0
    (project_dir / "suites/shop/gold.jsonl").write_text(lines)
    asked = len(mock.server.requests)
    for _ in range(2):
        assert call("run", "base") == 0
    assert len(mock.server.requests) == asked
    runs = runs_of(project_dir / ".harness/runs", "base")
    assert {header.freshness for _, header in runs} == {1}
    for folder, _ in runs:
        assert {item.text for item in folder.load().attempts} == {"NEW"}
        assert len(list(folder.path.glob("attempts.replaced-*"))) <= 1


def test_what_is_not_known_of_a_model_that_is_not_listed_is_said(
    project_dir: Path, mock: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    site = Site({"/v1/chat/completions": chat("value 1", kind="text/plain")})
    mock.during(site)
    path = project_dir / "harness.yaml"
    path.write_text(path.read_text().replace(mock.url, site.url))
    assert call("run", "base") == 0
    assert len(site.bodies) == 81
    assert (
        f"base: `base` is not listed by {site.url}/v1 (HTTP 404 on /models), and answers; its "
        "weights are not known, nor whether it is an adapter"
    ) in capsys.readouterr().err


@pytest.mark.parametrize(
    ("routes", "hint"),
    [
        ({}, "give the address up to and with /v1"),
        ({"/v1/chat/completions": chat("value 1")}, "there is one: write `url: "),
    ],
)
def test_a_list_of_models_without_a_chat_route_ends_the_run_in_one_line(
    project_dir: Path,
    mock: ThreadedMock,
    capsys: pytest.CaptureFixture[str],
    routes: dict[str, Any],
    hint: str,
) -> None:
    site = Site({"/openai/v1/models": [{"id": "base"}], **routes})
    mock.during(site)
    path = project_dir / "harness.yaml"
    path.write_text(path.read_text().replace(mock.url, f"{site.url}/openai"))
    assert call("run", "base", "-j", "2") == 3
    err = capsys.readouterr().err
    assert f"error: {site.url}/openai/v1: has no chat route there (HTTP 404" in err
    assert hint in err
    assert len(site.bodies) <= 2 + 2  # those under way, then the trial, made once


def test_a_case_that_finds_no_route_is_its_own_where_the_route_answers(
    project_dir: Path, mock: ThreadedMock
) -> None:
    def reply(body: dict[str, Any]) -> MockReply:
        if body["messages"][-1]["content"] != "Hi":
            return MockReply("no such page", status=404)
        return MockReply("Hello")

    mock.answer = reply
    assert call("run", "base") == 3
    (run,) = runs_of(project_dir / ".harness/runs", "base")
    assert {attempt.status for attempt in run[0].load().attempts} == {"failed"}
    assert len(mock.server.requests) == 80 + 1
