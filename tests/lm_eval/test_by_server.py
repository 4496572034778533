"""Tasks by a server: our client asks, lm-eval builds and scores, and no failure is an answer."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from harness.storage import RunFolder
from tests.cli.builders import call
from tests.conftest import ThreadedMock
from tests.lm_eval.skills import write_skills
from tests.mock_server import MockReply

SECTION = {
    "lm_eval": "reading.yaml", "via": "server", "limit": 8, "group_by": "note",
    "num_fewshot": 1, "system_instruction": "Be brief.",
}  # fmt: skip


@pytest.fixture
def asked(mock: ThreadedMock) -> list[dict[str, Any]]:
    """What the server is asked; it knows shelves, and fails and says nothing once each."""
    bodies: list[dict[str, Any]] = []

    def answer(body: dict[str, Any]) -> Any:
        bodies.append(body)
        said = body["messages"][-1]["content"]
        if "Which shelf?" in said:
            return f"It is {said.split(' is on the ')[1].split()[0]}.\nAnything else?"
        return "" if "globe" in said else MockReply(status=400) if "clock" in said else "99"

    mock.answer = answer
    return bodies


def test_answers_are_scored_and_failures_are_not(
    tmp_path: Path, mock: ThreadedMock, asked: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    write_skills(
        tmp_path, {"main": {"url": mock.url}},
        {"base": {"server": "main", "model": "base"}}, reading=SECTION,
    )  # fmt: skip
    assert call("run", "base") == 0
    out = capsys.readouterr()
    first = next(body for body in asked if "note" not in body and len(body["messages"]) > 2)
    assert [turn["role"] for turn in first["messages"]] == [
        "system", "user", "assistant", "user",
    ]  # fmt: skip
    assert (first["stop"], first["max_tokens"], first["temperature"]) == (["\n"], 16, 0.0)
    (kept,) = (tmp_path / ".harness/runs").glob("base-*/recorded.json")
    scores = RunFolder(kept.parent).load().scores
    counted = Counter(one.status for one in scores)
    assert counted["failed"] == counted["unscored"] == 1
    assert counted["scored"] == 6
    right = [one for one in scores if one.status == "scored" and one.value]
    assert not right, "the first metric is of the whole answer"
    assert sum(one.terms["exact_match@word"].num for one in scores if one.terms) == 4
    # lm-eval's own result is that of the documents that were answered.
    assert "reading (version 1.0, 6 documents): exact_match@whole 0.0000" in out.err
    assert "exact_match@word 0.6667" in out.err
    sent = len(asked)
    assert call("run", "base") == 0
    assert len(asked) - sent <= 2, "what was answered is not asked again"
