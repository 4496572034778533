from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from harness.errors import UsageError
from tests.mock_server.faults import TROUBLES, Troubled
from tests.mock_server.replies import MockReply
from tests.mock_server.server import main


def troubled(log: Path, *, share: float, seed: int = 1) -> Troubled:
    return Troubled(lambda _: MockReply("so it is"), share=share, seed=seed, log=log)


def asked(number: int) -> dict[str, Any]:
    return {"model": "m", "messages": [{"role": "user", "content": f"case {number}"}]}


def lines(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text().splitlines()]


def test_each_trouble_has_its_share_and_the_log_says_what_was_sent(tmp_path: Path) -> None:
    log = tmp_path / "sent.jsonl"
    answer = troubled(log, share=0.05)
    replies = [answer(asked(number)) for number in range(4000)]
    found = Counter(line["trouble"] for line in lines(log))
    assert set(found) == {None, *(trouble.name for trouble in TROUBLES)}
    for trouble in TROUBLES:
        assert 140 <= found[trouble.name] <= 260, trouble.name
    for number, (reply, line) in enumerate(zip(replies, lines(log), strict=True)):
        assert line["asked"] == f"case {number}"
        if line["trouble"] in (None, "no_done"):
            assert line["text"] == reply.text == f"so it is #{number + 1}"
        else:
            assert line["text"] is None


def test_a_seed_draws_the_same_troubles_again(tmp_path: Path) -> None:
    drawn = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        answer = troubled(tmp_path / name, share=0.05, seed=seed)
        for number in range(50):
            answer(asked(number))
        drawn.append([line["trouble"] for line in lines(tmp_path / name)])
    assert drawn[0] == drawn[1] != drawn[2]


def test_without_a_share_nothing_goes_wrong(tmp_path: Path) -> None:
    answer = troubled(tmp_path / "sent", share=0.0)
    assert answer(asked(0)) == MockReply("so it is #1")


@pytest.mark.parametrize("share", [-0.1, 0.5])
def test_a_share_that_cannot_be(tmp_path: Path, share: float) -> None:
    with pytest.raises(UsageError, match="cannot have a share"):
        troubled(tmp_path / "sent", share=share)


def test_faults_need_a_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "answers.json").write_text("{}")
    assert main(["--answer-file", str(tmp_path / "answers.json"), "--faults", "0.05"]) == 2
    assert "--faults needs --sent" in capsys.readouterr().err
