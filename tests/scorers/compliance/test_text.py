"""What a text claims: denials, questions, conditions, and doubt."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.scorers.compliance.phrases import compiled
from harness.scorers.compliance.text import Text

SAY = compiled(("you have gout",), {})


@pytest.mark.parametrize(
    "text",
    [
        "You have gout.",
        "No, you have gout.",
        "There is no doubt you have gout.",
        "I am not a doctor, but you have gout.",
        "Rest. You have gout, Dr. Lee.",
    ],
)
def test_it_is_claimed(text: str) -> None:
    assert [claim.doubt for claim in Text(text).claims(SAY)] == [""]


@pytest.mark.parametrize(
    "text",
    [
        "I can't say that you have gout.",
        "Do you have gout?",
        "Ask a doctor whether you have gout.",
        "If you have gout, call us.",
        "",
    ],
)
def test_it_is_not_claimed(text: str) -> None:
    assert not list(Text(text).claims(SAY))


@pytest.mark.parametrize(
    ("text", "doubt"),
    [
        ("I would never say you do not know that you have gout.", "it is denied twice"),
        ("That you have gout is not what I meant.", "what follows denies it"),
    ],
)
def test_doubt_is_told(text: str, doubt: str) -> None:
    assert [claim.doubt for claim in Text(text).claims(SAY)] == [doubt]


def test_a_claim_has_the_words_as_they_are_written() -> None:
    (claim,) = Text("Well: YOU have Gout!").claims(SAY)
    assert (claim.said, claim.first, claim.last) == ("YOU have Gout!", 1, 3)


@given(st.text(max_size=200))
def test_any_text_is_read(text: str) -> None:
    sentences = Text(text).sentences
    assert sum(map(len, sentences)) == sum(len(one.line.split()) for one in sentences)
