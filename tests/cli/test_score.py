"""`harness score` scores what is stored and asks nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.builders import call
from tests.conftest import ThreadedMock
from tests.mock_server import MockReply


def test_score_and_stored_gate_need_no_server(
    project_dir: Path, mock: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("run", "base", "candidate") == 0
    mock.answer = lambda _: MockReply("down", status=500)
    asked = len(mock.server.requests)
    path = project_dir / "suites/shop/gold.jsonl"
    path.write_text(path.read_text().replace("value 7", "another value"))
    assert call("gate", "candidate", "--stored") == 0
    capsys.readouterr()
    assert call("score", "candidate") == 0
    assert "shop.gold.accuracy                       0.975" in capsys.readouterr().out
    assert len(mock.server.requests) == asked
    path.write_text(path.read_text().replace("What is fact 8?", "What was fact 8?"))
    assert call("score", "candidate") == 3
    assert "has no stored answer for 1 of 80 cases, shop/gold/g8" in capsys.readouterr().err


def test_scoring_nothing_is_no_success(project_dir: Path, mock: ThreadedMock) -> None:
    mock.answer = lambda _: ""
    assert call("run", "base") == 3
    assert call("score", "base") == 3


def test_a_stored_gate_uses_no_answers_from_before_no_cache(
    project_dir: Path, mock: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    path = project_dir / "suites/shop/suite.yaml"
    first = path.read_text()
    mock.answer = lambda _: "OLD"
    assert call("run", "base") == 0
    path.write_text(first.replace("the shop's", "a shop's"))  # another prompt in every case
    assert call("run", "base", "--no-cache") == 0
    path.write_text(first)
    capsys.readouterr()
    assert call("score", "base") == 3
    assert "has no stored answer for 80 of 80 cases" in capsys.readouterr().err
