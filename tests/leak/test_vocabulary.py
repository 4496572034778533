from __future__ import annotations

import pytest

from harness.leak.vocabulary import Vocabulary, edit_distance, sentences, split_words


def test_short_verb_forms_say_nothing_but_negations_do() -> None:
    assert split_words("What's your price? I'm here.") == ["what", "your", "price", "i", "here"]
    assert split_words("Don't") == ["don", "t"]


def test_sentences() -> None:
    assert sentences("Hi! When? Now.\nBye") == ["Hi!", "When?", "Now.", "Bye"]


def slips(one: str, other: str, *texts: str) -> int:
    words = Vocabulary()
    words.count([words.number(text.split()) for text in (one, other, *texts)])
    return words.slips(words.numbers[one], words.numbers[other])


@pytest.mark.parametrize(
    ("one", "other", "found"),
    [("refund", "refnud", 1), ("refund", "rfnud", 2), ("late", "lae", 1), ("late", "laet", 1),
     ("late", "lxxe", 0), ("12", "13", 0), ("b2b", "b2c", 0), ("a", "b", 0), ("is", "in", 0),
     ("refund", "funder", 0)],
)  # fmt: skip
def test_a_rare_word_may_be_another_one_misspelt(one: str, other: str, found: int) -> None:
    assert slips(one, other) == found


def test_two_known_words_are_two_words() -> None:
    assert slips("late", "date", *["late"] * 5, *["date"] * 5) == 0
    assert slips("late", "lxte", *["late"] * 99, *["lxte"] * 5) == 1


@pytest.mark.parametrize(
    ("one", "two", "edits"),
    [("abc", "abc", 0), ("abc", "acb", 1), ("abc", "ab", 1), ("", "ab", 2), ("ca", "abc", 3)],
)
def test_edit_distance(one: str, two: str, edits: int) -> None:
    assert edit_distance(one, two) == edit_distance(two, one) == edits
