"""Ends, beginnings and padding: what makes a tuned model never stop is found before training."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import RecipeError
from harness.training.assistant_spans import Ending, Turns
from harness.training.special_tokens import (
    EndOfTurn,
    check_beginning,
    end_of_turn,
    note_beginning,
    prepare_padding,
    stop_ids,
)
from tests.training.makers import FAMILIES, PHI, Family, byte_tokenizer, write_tokenizer

pytest.importorskip("tokenizers")

TURNS = [{"role": "user", "content": "Hi?"}, {"role": "assistant", "content": "Hello."}]


def ends(family: Family, folder: Path, template: str | None = None) -> EndOfTurn:
    base, tokenizer = write_tokenizer(family, folder, template), byte_tokenizer(family, template)

    def render(turns: Turns, prompt: bool) -> str:
        return str(
            tokenizer.apply_chat_template(list(turns), tokenize=False, add_generation_prompt=prompt)
        )

    return end_of_turn(tokenizer, stop_ids(base, tokenizer.eos_token_id), render, TURNS)


@pytest.mark.parametrize(
    ("name", "token", "ending"),
    [
        ("llama3", "<|eot_id|>", Ending("<|eot_id|>", 10)),
        ("qwen2_5", "<|im_end|>", Ending("<|im_end|>\n", 10)),
        ("gemma", "<end_of_turn>", Ending("<end_of_turn>\n", 13)),
        ("phi3", "<|end|>", Ending("<|end|>\n<|endoftext|>", 7)),
        ("alternating", "</s>", Ending("</s>", 4)),
    ],
)
def test_an_answer_ends_with_the_first_token_at_which_a_server_stops(
    name: str, token: str, ending: Ending, tmp_path: Path
) -> None:
    found = ends(FAMILIES[name], tmp_path)
    assert (found.token, found.ending) == (token, ending)


def test_where_a_server_stops_at_a_later_token_only_both_are_learnt(tmp_path: Path) -> None:
    only_text_end = Family("phi3", "<|endoftext|>", "<s>", PHI)
    found = ends(only_text_end, tmp_path)
    assert found.token == "<|endoftext|>"
    assert found.ending == Ending("<|end|>\n<|endoftext|>", 21)


def test_an_end_at_which_the_base_does_not_stop_is_named_with_numbers(tmp_path: Path) -> None:
    """As Llama 3 was first published: only the end of a text was in its configuration."""
    family = replace(FAMILIES["llama3"], eos="<|end_of_text|>", more=("<|eot_id|>",))
    with pytest.raises(RecipeError) as caught:
        ends(family, tmp_path)
    assert caught.value.what == (
        "the chat template ends an answer with `<|eot_id|>` (id 258), and the base stops at "
        "`<|end_of_text|>` (id 257): a model tuned so never stops"
    )
    assert "add 258 to `eos_token_id` in the base's generation_config.json" in caught.value.hint


@pytest.mark.parametrize(
    "template",
    [
        "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}",
        "{% for m in messages %}<|im_start|>{{ m.content }}<|other_end|>{% endfor %}",
    ],
)
def test_a_template_without_an_end_is_refused(template: str, tmp_path: Path) -> None:
    """The second one's mark is no token of the tokenizer: it falls into pieces."""
    with pytest.raises(RecipeError, match="holds no token that ends a turn") as caught:
        ends(FAMILIES["qwen2_5"], tmp_path, template)
    assert "{{ eos_token }}" in caught.value.hint


def test_a_server_stops_at_what_generation_config_says_and_at_eos(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"eos_token_id": 7}', encoding="utf-8")
    assert stop_ids(tmp_path, None) == {7}
    assert stop_ids(tmp_path, 2) == {2, 7}
    config = {"text_config": {"eos_token_id": [8, 9]}}
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    assert stop_ids(tmp_path, None) == {8, 9}
    (tmp_path / "generation_config.json").write_text('{"eos_token_id": [3, 4]}', encoding="utf-8")
    assert stop_ids(tmp_path, None) == {3, 4}
    (tmp_path / "generation_config.json").write_text("{}", encoding="utf-8")
    assert stop_ids(tmp_path, None) == frozenset()


def test_a_beginning_that_stands_twice_is_refused() -> None:
    tokenizer = byte_tokenizer(FAMILIES["llama3"])
    bos = tokenizer.bos_token_id
    with pytest.raises(RecipeError, match=r"begins with `<\|begin_of_text\|>` \(id 256\) twice"):
        check_beginning(tokenizer, [bos, bos, 5])
    check_beginning(tokenizer, [bos, 5])
    check_beginning(byte_tokenizer(FAMILIES["qwen2_5"]), [5, 5])


def test_a_beginning_that_the_tokenizer_would_add_is_told() -> None:
    from tokenizers.processors import TemplateProcessing

    tokenizer = byte_tokenizer(FAMILIES["llama3"])
    bos = tokenizer.bos_token_id
    assert note_beginning(tokenizer, [bos, 5]) is None
    raw = tokenizer.backend_tokenizer
    raw.post_processor = TemplateProcessing(
        single="<|begin_of_text|> $A", special_tokens=[("<|begin_of_text|>", bos)]
    )
    assert "it is put once" in (note_beginning(tokenizer, [bos, 5]) or "")
    assert "it is left out" in (note_beginning(tokenizer, [5]) or "")


def test_padding_is_given_where_there_is_none_and_told_where_it_is_an_end() -> None:
    tokenizer = byte_tokenizer(FAMILIES["qwen2_5"])
    end = EndOfTurn("<|im_end|>", 256, Ending("<|im_end|>", 10))
    assert "has no padding token: `<|im_end|>` (id 256) pads" in (
        prepare_padding(tokenizer, end) or ""
    )
    assert tokenizer.pad_token_id == 256
    assert "also pads" in (prepare_padding(tokenizer, end) or "")
    tokenizer.pad_token = "<|im_start|>"
    assert prepare_padding(tokenizer, end) is None
