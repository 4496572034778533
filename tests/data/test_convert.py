"""Files that are read in one form and written in another: whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.data.convert import Kind, convert, rejects_of
from harness.data.form import WritableForm, named
from harness.errors import UsageError
from harness.records.suite import Case
from harness.training.data_files import Conversation

CHAT = {"messages": [{"role": "user", "content": "When?"}, {"role": "assistant", "content": "9"}]}
BAD = {"messages": [{"role": "tool", "content": "x"}]}


def write(path: Path, *rows: Any) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_rows_that_cannot_be_taken_are_kept_with_their_place(tmp_path: Path) -> None:
    file, out = write(tmp_path / "x.jsonl", CHAT, BAD, [1]), tmp_path / "out.jsonl"
    done = convert([file], "training", out)
    assert (done.rows, done.written, done.rejected) == (3, 1, 2)
    assert done.forms == {str(file): "messages"}
    (row,) = lines(out)
    assert Conversation.model_validate(row).messages[-1].content == "9"
    first, second = lines(rejects_of(out))
    assert first["place"] == f"{file}:2"
    assert first["row"] == BAD
    assert "the role must be" in first["why"]
    assert second["why"] == "must be an object"


def test_rejects_of_an_earlier_conversion_do_not_stay(tmp_path: Path) -> None:
    file, out = write(tmp_path / "x.jsonl", CHAT, BAD), tmp_path / "out.jsonl"
    convert([file], "training", out)
    assert rejects_of(out).exists()
    convert([write(file, CHAT)], "training", out)
    assert not rejects_of(out).exists()


@pytest.mark.parametrize("to", ["cases", "training"])
def test_questions_that_are_the_same_are_one_group(tmp_path: Path, to: Kind) -> None:
    other = json.loads(json.dumps(CHAT).replace("When?", "  when ?"))
    file, out = write(tmp_path / "x.jsonl", CHAT, other), tmp_path / "out.jsonl"
    convert([file], to, out)
    assert len({row["group"] for row in lines(out)}) == 1
    if to == "cases":
        assert len({Case.model_validate(row).id for row in lines(out)}) == 2


def test_a_case_without_an_expectation_or_with_an_id_twice_is_rejected(tmp_path: Path) -> None:
    rows = [{"input": "a", "target": "b", "id": 1}, {"input": "c", "target": "d", "id": 1}]
    done = convert([write(tmp_path / "x.jsonl", *rows)], "cases", tmp_path / "o.jsonl")
    assert (done.written, done.first_rejected[0].why) == (1, "id: `1` was given before")
    question = {"messages": CHAT["messages"][:1]}
    with pytest.raises(UsageError, match="has no answer, and no other expectation"):
        convert([write(tmp_path / "y.jsonl", question)], "cases", None)


def test_where_nothing_can_be_taken_nothing_is_written(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    with pytest.raises(UsageError, match="nothing could be taken of 1 row"):
        convert([write(tmp_path / "x.jsonl", BAD)], "training", out)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.jsonl"]


def test_a_file_that_ends_badly_leaves_nothing_half_written(tmp_path: Path) -> None:
    file, out = tmp_path / "x.jsonl", tmp_path / "out.jsonl"
    file.write_bytes(json.dumps(CHAT).encode() + b'\n{"messages": "\xe4"}\n')
    with pytest.raises(UsageError, match="is not utf-8"):
        convert([file], "training", out)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.jsonl"]


def test_responses_are_joined_with_their_requests(tmp_path: Path) -> None:
    request = {"custom_id": "r", "body": {"messages": CHAT["messages"][:1]}}
    body = {"choices": [{"message": CHAT["messages"][1], "finish_reason": "stop"}]}
    response = {"custom_id": "r", "response": {"body": body}}
    files = [write(tmp_path / "in.jsonl", request), write(tmp_path / "out.jsonl", response)]
    done = convert(files, "training", None)
    assert (done.rows, done.skipped, done.written) == (2, 1, 1)


def test_pairs_are_in_the_form_that_a_training_reads(tmp_path: Path) -> None:
    row = {"prompt": "When?", "chosen": "9", "rejected": "no"}
    out = tmp_path / "out.jsonl"
    convert([write(tmp_path / "x.jsonl", row)], "pairs", out)
    (line,) = lines(out)
    assert line["chosen"] == [{"role": "assistant", "content": "9"}]
    assert line["prompt"] == [{"role": "user", "content": "When?"}]


def test_a_list_of_data_sets_stands_for_its_files(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", {"instruction": "When?", "output": "9"})
    listed = tmp_path / "dataset_info.json"
    listed.write_text(json.dumps({"own": {"file_name": "a.jsonl"}}))
    done = convert([listed], "training", None)
    assert done.forms == {str(tmp_path / "a.jsonl"): "alpaca"}
    assert done.written == 1


def test_what_a_form_cannot_hold_is_rejected(tmp_path: Path) -> None:
    gold = {"id": "a", "prompt": "When?", "expect": {"answers": ["9"]}}
    scope = {"id": "b", "prompt": "Tax?", "expect": {"behavior": "refuse"}}
    form = named("promptfoo")
    assert isinstance(form, WritableForm)
    done = convert([write(tmp_path / "x.jsonl", gold, scope)], form, tmp_path / "out.jsonl")
    assert (done.written, done.rejected) == (1, 1)
    assert "no counterpart of `behavior`" in done.first_rejected[0].why
