"""Pairs of answers, as files of preferences have them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.errors import RecipeError
from harness.training.data_files import Pair, read_data
from tests.training.conftest import make_recipe
from tests.training.test_dpo import message, pair

ASK = message("user", "Question?")
GOOD, BAD = message("assistant", "Yes."), message("assistant", "No.")


def read(folder: Path, *lines: dict[str, Any]) -> tuple[Any, ...]:
    text = "\n".join(json.dumps(line) for line in lines)
    (folder / "pairs.jsonl").write_text(text, encoding="utf-8")
    recipe = make_recipe(method="dpo", data=["pairs.jsonl"], system_prompt="Be kind.")
    return read_data(recipe, folder)


def test_a_prompt_may_stand_apart_or_in_both_conversations(tmp_path: Path) -> None:
    apart, within = read(
        tmp_path,
        {"prompt": [ASK], "chosen": [GOOD], "rejected": [BAD]},
        {"chosen": [ASK, GOOD], "rejected": [ASK, BAD]},
    )
    assert apart == within
    assert isinstance(apart, Pair)
    assert [one.content for one in apart.messages] == ["Be kind.", "Question?", "Yes."]
    other = apart.rejected_conversation
    assert [one.content for one in other.messages] == ["Be kind.", "Question?", "No."]


def test_pairs_of_one_prompt_are_a_group_unless_they_say_so(tmp_path: Path) -> None:
    first, second, named = read(
        tmp_path, pair(1), pair(1, rejected=[BAD]), pair(1, group="returns")
    )
    assert first.group == second.group
    assert first.group.startswith("prompt ")
    assert named.group == "returns"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ({"prompt": "text", "chosen": "a", "rejected": "b"}, "prompt: "),
        (pair(1, chosen=[GOOD, GOOD]), "must hold one answer each"),
        (pair(1, rejected=[ASK]), "the last message must be the assistant's"),
        (pair(1, chosen=[ASK]), "the last one must be the assistant's"),
        (pair(1, prompt=[ASK, GOOD]), "the last message must be the user's"),
        (pair(1, chosen=[BAD], rejected=[BAD]), "are the same answer"),
        ({"chosen": [ASK, GOOD], "rejected": [BAD]}, "must share all turns but the last"),
        ({"chosen": [GOOD], "rejected": [BAD]}, "prompt: the last message must be the user's"),
        ({**pair(1), "score": 1}, "score: unknown key"),
    ],
)
def test_a_line_that_is_no_pair_is_one_line(
    tmp_path: Path, line: dict[str, Any], said: str
) -> None:
    with pytest.raises(RecipeError) as caught:
        read(tmp_path, pair(0), line)
    assert caught.value.line.startswith("pairs.jsonl:2: ")
    assert said in caught.value.line
    assert '"rejected": [' in caught.value.hint
