from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from harness.personal_data import Redactor, find


def test_the_same_value_has_the_same_name_everywhere() -> None:
    redactor = Redactor()
    assert redactor.text("a@b.example, c@d.example") == "<EMAIL_1>, <EMAIL_2>"
    assert redactor.text("C@D.example and 4111-1111-1111-1111") == "<EMAIL_2> and <CARD_1>"
    assert redactor.text("4111 1111 1111 1111") == "<CARD_1>"
    assert redactor.counts == {"email": 3, "card": 2}


def test_every_text_of_a_value_is_replaced() -> None:
    row = {
        "messages": [{"content": "a@b.example"}],
        "a@b.example": 4111111111111111,
        "n": [3, True],
    }
    assert Redactor().value(row) == {
        "messages": [{"content": "<EMAIL_1>"}],
        "<EMAIL_1>": "<CARD_1>",
        "n": [3, True],
    }


@given(st.lists(st.sampled_from(["a@b.example", "10.0.0.1", "hello", "4111111111111111"])))
def test_nothing_is_found_in_what_was_redacted(words: list[str]) -> None:
    text = Redactor().text(" ".join(words))
    assert find(text) == ()
    assert Redactor().text(text) == text
