"""Tables of named columns, and other trainers' lists of data sets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.data.columns import parse_map, sources
from harness.errors import UsageError


def test_columns_are_what_the_user_says() -> None:
    table = parse_map(["prompt=Q", "answer=A", "group=Topic", "tags=Tags", "system=S"])
    assert table is not None
    row = {"Q": "When?", "A": "Nine", "Topic": "hours", "Tags": "a; b", "S": "Be kind", "x": "y"}
    (sample,) = table.read(row)
    assert [turn.role for turn in sample.messages] == ["system", "user"]
    assert (sample.question, sample.answers, sample.group) == ("When?", ("Nine",), "hours")
    assert sample.tags == ("a", "b")
    assert sample.lost == ("x",)


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ({"Q": "When?"}, "has no column `A`; there is `Q`"),
        ({"Q": "", "A": "x"}, "Q: is empty"),
        ({"Q": 4, "A": "x"}, "Q: must be"),
    ],
)
def test_a_row_without_a_question_says_so(row: dict[str, Any], why: str) -> None:
    table = parse_map(["prompt=Q", "answer=A"])
    assert table is not None
    with pytest.raises(ValueError, match=why):
        list(table.read(row))


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (["prmpt=Q"], "did you mean `prompt`"),
        (["prompt"], "no FIELD=COLUMN"),
        (["answer=A"], "no column of questions"),
    ],
)
def test_a_map_that_names_nothing(given: list[str], why: str) -> None:
    with pytest.raises(UsageError, match=why):
        parse_map(given)


def put(folder: Path, name: str, row: dict[str, Any]) -> None:
    (folder / name).write_text(json.dumps(row) + "\n")


def test_a_list_of_llama_factory(tmp_path: Path) -> None:
    put(tmp_path, "a.jsonl", {"q": "When?", "a": "Nine"})
    put(tmp_path, "c.jsonl", {"chat": [{"r": "u", "t": "When?"}, {"r": "b", "t": "Nine"}]})
    put(tmp_path, "p.jsonl", {"instruction": "When?", "chosen": "Nine", "rejected": "No"})
    listed = {
        "own": {"file_name": "a.jsonl", "columns": {"prompt": "q", "response": "a"}},
        "chat": {
            "file_name": "c.jsonl", "formatting": "sharegpt", "columns": {"messages": "chat"},
            "tags": {"role_tag": "r", "content_tag": "t", "user_tag": "u", "assistant_tag": "b"},
        },
        "pairs": {
            "file_name": "p.jsonl", "ranking": True,
            "columns": {"prompt": "instruction", "chosen": "chosen", "rejected": "rejected"},
        },
    }  # fmt: skip
    found = sources(tmp_path / "dataset_info.json", listed)
    assert found is not None
    for source in found:
        assert source.form is not None
        (sample,) = source.form.read(json.loads(source.path.read_text()))
        assert (sample.question, sample.answers) == ("When?", ("Nine",))
    assert sample.rejected == "No"


def test_the_data_sets_of_an_axolotl_configuration(tmp_path: Path) -> None:
    put(tmp_path, "m.jsonl", {"talk": [{"who": "h", "is": "When?"}, {"who": "m", "is": "Nine"}]})
    put(tmp_path, "s.jsonl", {"conversations": [{"from": "human", "value": "When?"},
                                                {"from": "gpt", "value": "Nine"}]})  # fmt: skip
    config = {
        "base_model": "x",
        "datasets": [
            {
                "path": "m.jsonl", "type": "chat_template", "field_messages": "talk",
                "message_property_mappings": {"role": "who", "content": "is"},
                "roles": {"user": ["h"], "assistant": ["m"]},
            },
            {"path": "s.jsonl", "type": "sharegpt"},
        ],
    }  # fmt: skip
    found = sources(tmp_path / "axolotl.yaml", config)
    assert found is not None
    for source in found:
        assert source.form is not None
        (sample,) = source.form.read(json.loads(source.path.read_text()))
        assert (sample.question, sample.answers) == ("When?", ("Nine",))


def test_a_data_set_that_is_not_here_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file: org/name"):
        sources(tmp_path / "a.yaml", {"datasets": [{"path": "org/name", "type": "alpaca"}]})
    with pytest.raises(UsageError, match="no such file: absent"):
        sources(tmp_path / "dataset_info.json", {"own": {"file_name": "absent"}})
    assert sources(tmp_path / "x.json", {"messages": []}) is None
