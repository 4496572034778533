from __future__ import annotations

import pytest

from harness.perturb import Question, read
from harness.records.suite import Case


def question(text: str, **expect: object) -> Question:
    return read(Case(id="a", group="a", messages=[{"role": "user", "content": text}],
                     expect=expect))  # fmt: skip


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Does Anna ship boots to Mexico?", {"Anna", "Mexico"}),
        ("Anna wants boots", {"Anna"}),
        ("I do not want them without laces", {"not", "without"}),
        ("I can't and don’t pay", {"can't", "don’t"}),
        ("wait three weeks for 5 kg of rice", {"three", "weeks", "kg"}),
        ("open https://example.org/long/path today", {"https", "example", "org", "long", "path"}),
        ("run `pip install` today", {"pip", "install"}),
        ('say "good luck" to them', {"good", "luck"}),
        ("send {name} a card", {"name"}),
    ],
)
def test_what_is_not_free(text: str, kept: set[str]) -> None:
    assert {word.text for word in question(text).words if not word.free} == kept


def test_what_the_answers_hold_is_not_free() -> None:
    found = question("is the summit club for members", answers=["Summit Club"], match="contains")
    assert {word.text for word in found.words if not word.free} == {"summit", "club"}
    assert found.tells("join the club and more") is False
    assert question("which one", answers=["Club"]).tells("which club") is True


def test_a_common_word_that_begins_a_sentence_is_free() -> None:
    assert all(word.free for word in question("How are you? Can I ask?").words)


def test_a_word_that_stands_twice_is_not_loose() -> None:
    assert [word.text for word in question("note: zorvik or zorvik").loose] == ["note", "or"]


def test_words_in_place_of_others() -> None:
    asked = question("What is it?")
    assert asked.with_words({asked.words[0]: "wat"}) == "wat is it?"
    assert asked.with_words({asked.words[0]: "What"}) is None


@pytest.mark.parametrize(
    ("text", "english"), [("What is it?", True), ("Où est la gare?", False), ("12", False)]
)
def test_english_is_told_by_its_common_words(text: str, english: bool) -> None:
    assert question(text).english is english


def test_a_question_about_spelling_is_about_form() -> None:
    assert question("How do you spell that?").about_form
    assert not question("How long is it?").about_form
