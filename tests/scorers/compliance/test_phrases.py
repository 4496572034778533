"""Phrases of rules: what each sign stands for, and what is wrong with a phrase."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.scorers.compliance.phrases import compiled
from harness.scorers.compliance.text import Text
from harness.validation import KeyProblem

LISTS = {"drug": ("aspirin", "cough syrup"), "dose": ("<number> mg",)}


def found(phrase: str, text: str) -> bool:
    """Whether the phrase stands in the text."""
    return any(Text(text).said(compiled((phrase,), LISTS)))


@pytest.mark.parametrize(
    ("phrase", "text"),
    [
        ("buy|sell shares", "Sell the shares."),
        ("be_sold|go", "It must be sold."),
        ("guarante~", "It is GUARANTEED!"),
        ("very? good", "That is good."),
        ("very? good", "That is very good."),
        ("take * daily", "Take one of these pills daily."),
        ("<drug>", "Try cough-syrup."),
        ("take <dose>", "Take 400mg now."),
        ("doctor & ask", "Ask him, he is a doctor."),
        ("can't lose", "You cannot lose."),
        ("can not lose", "You can’t lose."),
    ],
)
def test_a_phrase_is_found(phrase: str, text: str) -> None:
    assert found(phrase, text)


@pytest.mark.parametrize(
    ("phrase", "text"),
    [
        ("buy shares", "Buyers like shares."),
        ("take * daily", "Take one, two, three, four, five daily."),
        ("doctor & ask", "Ask him. He is a doctor."),
        ("take <dose>", "Take some mg."),
    ],
)
def test_a_phrase_is_not_found(phrase: str, text: str) -> None:
    assert not found(phrase, text)


@pytest.mark.parametrize(
    ("phrase", "what"),
    [
        ("...", "holds no word"),
        ("take <drugs>", "no list `drugs`; did you mean `drug`?"),
        ("take ;|!", "`;|!` holds no word"),
    ],
)
def test_a_phrase_that_cannot_be_read_is_named(phrase: str, what: str) -> None:
    with pytest.raises(KeyProblem) as caught:
        compiled(("good", phrase), LISTS)
    assert (caught.value.what, caught.value.keys) == (what, (1,))


def test_lists_that_hold_each_other_are_refused() -> None:
    with pytest.raises(KeyProblem, match="without end"):
        compiled(("<one>",), {"one": ("<two>",), "two": ("<one>",)})


@given(st.lists(st.sampled_from(["sell", "gold", "now", "safe"]), min_size=1, max_size=4))
def test_plain_words_are_found_in_their_own_sentence(words: list[str]) -> None:
    assert found(" ".join(words), f"Well, {' '.join(words).upper()}.")
