"""Additions and changes of a template are told before training."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.training.data_files import Conversation
from harness.training.encoder import Encoder
from harness.training.template_notes import default_system_prompt, note_template
from tests.training.test_encoder import TWO, conversation, encoder

pytest.importorskip("trl")


def notes(made: Encoder, *conversations: Conversation, examples: int = 1) -> list[str]:
    turns = [made.turns(one) for one in conversations]
    return list(note_template(made.template, made.render, turns, examples))


@pytest.mark.parametrize("family", ["llama3", "llama3_1", "qwen3", "gemma", "gemma3", "phi3"])
def test_templates_that_add_nothing_have_no_note(family: str, tmp_path: Path) -> None:
    assert notes(encoder(family, tmp_path), conversation(*TWO)) == []


def test_a_forced_system_prompt_is_told_where_data_has_none(tmp_path: Path) -> None:
    made = encoder("qwen2_5", tmp_path)
    own = conversation(*TWO, system="Be kind.")
    (note,) = notes(made, conversation(*TWO), own, examples=2)
    assert note.startswith("1 of 2 conversations have no system prompt")
    assert "You are Qwen, created by Alibaba Cloud." in note
    assert notes(made, own) == []


def test_a_system_prompt_that_is_the_users_does_not_count(tmp_path: Path) -> None:
    given = conversation(*TWO, system="Be kind.")
    assert notes(encoder("gemma", tmp_path / "g", system_as="user"), given) == []
    (note,) = notes(encoder("qwen2_5", tmp_path / "q", system_as="user"), given)
    assert note.startswith("1 of 1 conversations have no system prompt")


def test_the_day_in_a_template_is_told(tmp_path: Path) -> None:
    made = encoder("llama3_2", tmp_path)
    (note,) = notes(made, conversation(*TWO))
    assert "writes the day's date" in note
    assert "date_string" in note
    fixed = encoder("llama3_2", tmp_path, chat_template_kwargs={"date_string": "26 Jul 2024"})
    assert notes(fixed, conversation(*TWO)) == []


def test_conversations_that_became_more_are_counted(tmp_path: Path) -> None:
    (note,) = notes(encoder("qwen3", tmp_path), conversation(*TWO), examples=2)
    assert "1 conversations became 2 examples" in note


def test_no_prompt_is_invented_where_the_template_has_no_system_role(tmp_path: Path) -> None:
    assert default_system_prompt(encoder("gemma", tmp_path).render) == ""
