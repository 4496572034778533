from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.errors import UsageError
from harness.leak.conversations import read_conversations
from tests.leak.trained import write_rows

USER, BOT = {"role": "user", "content": "Q"}, {"role": "assistant", "content": "A"}


@pytest.mark.parametrize(
    "row",
    [
        {"messages": [{"role": "system", "content": "S"}, USER, BOT]},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "Q"}]}, BOT]},
        {"conversations": [{"from": "human", "value": "Q"}, {"from": "gpt", "value": "A"}]},
        {"prompt": "Q", "completion": "A"},
        {"prompt": [USER], "chosen": [BOT]},
        {"chosen": [USER, BOT]},
        {"instruction": "Q", "input": "", "output": "A"},
        {"question": "Q", "answer": "A"},
    ],
)
def test_forms_of_trainers_are_read(tmp_path: Path, row: dict[str, Any]) -> None:
    path = write_rows(tmp_path / "a.jsonl", [row])
    (found,) = read_conversations(path, "a.jsonl")
    assert (found.place, found.asked, found.answers) == ("a.jsonl:1", ("Q",), ("A",))


def test_both_answers_of_a_pair_belong_to_its_question(tmp_path: Path) -> None:
    bad = {"role": "assistant", "content": "B"}
    rows = [{"chosen": [USER, BOT], "rejected": [USER, bad]}]
    (found,) = read_conversations(write_rows(tmp_path / "a", rows), "a")
    assert found.asked == ("Q", "Q")
    (found,) = read_conversations(
        write_rows(tmp_path / "b", [{"prompt": "Q", "chosen": "A", "rejected": "B"}]), "b"
    )
    assert (found.asked, found.answers) == (("Q",), ("A\nB",))


def test_text_alone_history_and_a_list_are_read(tmp_path: Path) -> None:
    rows = [{"text": "Q"}, {"instruction": "I", "input": "X", "history": [["Q", "A"]]}]
    (tmp_path / "a.json").write_text("\ufeff " + json.dumps(rows))
    text, alpaca = read_conversations(tmp_path / "a.json", "a.json")
    assert (text.asked, text.place) == (("Q",), "a.json[1]")
    assert alpaca.asked == ("Q", "I\nX")


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b'{"prompt": 3}\n', "a:1: is no training example"),
        (b'\n{"prompt": "Q"}\nno\n', "a:3: not JSON"),
        (b'{"prompt": "\xff"}\n', "a:1: not UTF-8"),
        (b"[1]", r"a\[1\]: is no training example"),
        (b"[" * 100_000, "a: not JSON: nested too deeply"),
    ],
)
def test_what_is_no_example_is_named_with_its_line(tmp_path: Path, data: bytes, what: str) -> None:
    (tmp_path / "a").write_bytes(data)
    with pytest.raises(UsageError) as caught:
        list(read_conversations(tmp_path / "a", "a"))
    import re

    assert re.match(what, caught.value.line)
