"""Variants of training conversations: the same answer and group, marked, always the same."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from harness.data.augment import Augmented, augment
from harness.errors import UsageError
from harness.perturb import perturbations
from harness.training.candidate import Recipe
from harness.training.data_files import Conversation, read_data

QUESTIONS = (
    "How much does it cost to send the blue bicycle back to you?",
    "When does the office in the old harbour open on Sundays?",
    "Could you tell me how to change the address of my order, please?",
)


def chat(text: str, answer: str = "It is 12 euros.", **more: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text},
                         {"role": "assistant", "content": answer}], **more}  # fmt: skip


def made(
    tmp_path: Path, rows: Iterable[Any], *names: str, **given: Any
) -> tuple[Augmented, list[Conversation]]:
    path, output = tmp_path / "d.jsonl", tmp_path / "out.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = augment([path], output, names, **given)
    lines = output.read_text().splitlines()
    return done, [Conversation.model_validate_json(line) for line in lines]


def test_a_variant_has_the_group_and_answer_of_its_source_and_is_marked(tmp_path: Path) -> None:
    done, rows = made(tmp_path, [chat(text, group=f"g{n}") for n, text in enumerate(QUESTIONS)])
    sources = {one.group: one for one in rows if not one.derived}
    derived = [one for one in rows if one.derived]
    assert [one.messages[0].content for one in sources.values()] == list(QUESTIONS)
    assert done.added.total() == len(derived) > 0
    for one in derived:
        source = sources[one.group]
        assert one.messages[1:] == source.messages[1:]
        assert one.messages[0].content != source.messages[0].content
        assert one.derived in perturbations().names()


def test_a_question_without_a_group_gets_one_that_its_variants_share(tmp_path: Path) -> None:
    _, rows = made(tmp_path, map(chat, QUESTIONS), most=3)
    assert len({one.group for one in rows}) == len(QUESTIONS)


def test_the_same_seed_makes_the_same_and_another_one_others(tmp_path: Path) -> None:
    first = made(tmp_path, map(chat, QUESTIONS))[1]
    assert made(tmp_path, map(chat, QUESTIONS))[1] == first
    assert made(tmp_path, map(chat, QUESTIONS), seed=1)[1] != first


def test_only_the_named_forms_are_used_and_at_most_so_many(tmp_path: Path) -> None:
    done, rows = made(tmp_path, map(chat, QUESTIONS), "casing", "typos", most=1)
    assert set(done.added) <= {"casing", "typos"}
    assert len(rows) <= 2 * len(QUESTIONS)
    with pytest.raises(UsageError, match="no perturbation `typo`; did you mean `typos`"):
        made(tmp_path, map(chat, QUESTIONS), "typo")


def test_what_the_answer_says_is_left_as_it_is(tmp_path: Path) -> None:
    rows = [chat("Is the blue bicycle in the old harbour?", "The bicycle is in the harbour.")]
    for one in made(tmp_path, rows, "typos", most=9)[1]:
        assert "bicycle" in one.messages[0].content
        assert "harbour" in one.messages[0].content


def test_variants_are_not_augmented_again_and_bad_rows_are_kept_apart(tmp_path: Path) -> None:
    rows = [chat(QUESTIONS[0]), chat(QUESTIONS[1], derived="typos"), {"messages": []}]
    done, _ = made(tmp_path, rows)
    assert (done.conversations, done.rejected) == (1, 2)
    lines = (tmp_path / "out.rejected.jsonl").read_text().splitlines()
    kept = [json.loads(line) for line in lines]
    assert kept[0]["why"] == "is derived itself: augment its source"
    with pytest.raises(UsageError, match="no conversation could be read"):
        made(tmp_path, rows[1:])


def test_a_recipe_reads_variants_and_old_data_has_the_digest_it_had(tmp_path: Path) -> None:
    made(tmp_path, map(chat, QUESTIONS))
    recipe = Recipe(name="r", base="b", data=("out.jsonl",), steps=1)
    found = read_data(recipe, tmp_path)
    assert any(one.derived for one in found)
    assert "derived" not in found[0].model_dump(mode="json")
