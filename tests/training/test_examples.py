"""All conversations as examples: the sides, the cuts, the notes, and the words for a terminal."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import RecipeError
from harness.training.candidate import Learnt
from harness.training.data_files import Conversation
from harness.training.examples import Examples, describe, make_examples
from tests.training.makers import FAMILIES, byte_tokenizer, write_tokenizer
from tests.training.test_encoder import TWO, conversation, job_of

pytest.importorskip("trl")

HELD = conversation("Q", "A").model_copy(update={"group": "held"})


def made(family: str, folder: Path, *given: Conversation, **changes: object) -> Examples:
    base = write_tokenizer(FAMILIES[family], folder)
    job = job_of(base, *given, HELD, **{"max_length": 500, **changes})
    return make_examples(byte_tokenizer(FAMILIES[family]), job, ["held"])


def test_sides_counts_and_first_example_are_told(tmp_path: Path) -> None:
    found = made("gemma", tmp_path, conversation(*TWO), conversation("Hi?", "Yes."))
    assert (len(found.train), len(found.validation)) == (2, 1)
    learnt = found.learnt
    assert (learnt.found, learnt.examples, learnt.end_of_turn) == ("prefix", 2, "<end_of_turn>")
    assert learnt.learnt_tokens == len("Hello, you.Now we are done.Yes.") + 3
    assert learnt.tokens == sum(len(one.ids) for one in found.train)
    assert learnt.first_example == (
        "<bos><start_of_turn>user\nHi?<end_of_turn>\n<start_of_turn>model\n"
        "⟦Hello, you.<end_of_turn>⟧\n<start_of_turn>user\nAnd now?<end_of_turn>\n"
        "<start_of_turn>model\n⟦Now we are done.<end_of_turn>⟧\n"
    )
    assert learnt.notes == ("the tokenizer has no padding token: `<end_of_turn>` (id 259) pads",)


def test_the_words_for_a_terminal_show_what_is_learnt() -> None:
    learnt = Learnt(
        found="prefix", examples=2, tokens=40, learnt_tokens=10, end_of_turn="<end>",
        end_of_turn_id=7, first_example="Hi?\n⟦Yes.\x1b<end>⟧", notes=("a note",),
    )  # fmt: skip
    summary, *rest = describe("cand", learnt).split("\n")
    assert summary == (
        "training cand: learns 10 of 40 tokens (25%), the answers in 2 examples, found by "
        "rendering with and without them, each to its `<end>` (id 7)"
    )
    assert rest == [
        "  note: a note",
        "  the first example, what is learnt between ⟦ and ⟧:",
        "    Hi?",
        "    ⟦Yes.␛<end>⟧",
    ]


def test_answers_that_are_cut_lose_their_end_and_are_counted(tmp_path: Path) -> None:
    long = conversation("Hi?", "Hello, " + "you. " * 80)
    longer = conversation("Hi? " * 100, "Hello.")
    found = made("qwen3", tmp_path, long, longer, conversation("Hi?", "Yes."), max_length=80)
    assert [len(one.ids) for one in found.train] == [80, 34]
    (note, _) = found.learnt.notes
    assert note.startswith("`max_length` 80 cuts into the answers of 2 of 4 examples")
    assert "1 of them are left out (the longest has 4" in note


def test_a_length_that_leaves_no_answer_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(RecipeError) as caught:
        made("qwen3", tmp_path, conversation("Hi? " * 100, "Yes."), max_length=80)
    assert caught.value.line.startswith(
        "recipe cand: max_length: 80 tokens leave no answer of any conversation to train on"
    )


def test_what_a_template_refuses_is_named_with_file_and_line(tmp_path: Path) -> None:
    given = conversation("Hi?", "Yes."), conversation("Hi?", "Yes.", system="Be kind.")
    with pytest.raises(RecipeError, match=r"^data.jsonl:2: the chat template refuses system, user"):
        made("gemma", tmp_path, *given)


def test_a_prompt_that_is_not_as_rendered_is_told(tmp_path: Path) -> None:
    found = made("alternating", tmp_path, conversation("Hi?", "Yes.", system="Be kind."))
    assert any("1 examples have it as a server sends it" in note for note in found.learnt.notes)
    assert found.learnt.first_example == "<s>[INST] Be kind.\n\nHi?[/INST]⟦ Yes.</s>⟧"


def test_an_end_within_an_answer_is_told(tmp_path: Path) -> None:
    found = made("qwen3", tmp_path, conversation("Hi?", "Yes.<|im_end|> No."), conversation(*TWO))
    assert any(
        note.startswith("1 examples hold `<|im_end|>` within") for note in found.learnt.notes
    )


def test_a_header_that_no_server_writes_is_learnt_and_told(tmp_path: Path) -> None:
    family = FAMILIES["qwen2_5"]
    template = (
        "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    )
    base = write_tokenizer(family, tmp_path, template)
    job = job_of(base, conversation("Hi?", "Yes."), HELD, max_length=500)
    learnt = make_examples(byte_tokenizer(family, template), job, ["held"]).learnt
    assert "⟦<|im_start|>assistant\nYes.<|im_end|>⟧" in learnt.first_example
    assert any("`<|im_start|>` before an answer is learnt" in note for note in learnt.notes)
