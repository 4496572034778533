from __future__ import annotations

import pytest

from harness.data.lint import pairs
from harness.data.lint.pairs import Compared, Pair
from harness.data.lint.row import DataRow, data_row
from tests.data.lint.planted import conversation

RETURNS = "How long may boots be kept before sending them back to you?"


def compared(*questions: str) -> Compared:
    found = Compared()
    for number, question in enumerate(questions, 1):
        row = data_row(f"x:{number}", conversation(question, "Thirty days.", ""))
        assert isinstance(row, DataRow)
        found.add(row)
    return found


def test_the_same_words_but_for_small_ones_ask_the_same() -> None:
    found = compared(RETURNS, "Hi, how long may the boots be kept before sending them back?")
    assert found.pairs == (Pair(0, 1, True),)
    assert compared(RETURNS, RETURNS.upper()).pairs == (Pair(0, 1, True),)


def test_a_slip_of_the_pen_asks_the_same() -> None:
    assert compared(RETURNS, RETURNS.replace("sending", "snding")).pairs == (Pair(0, 1, True),)


def test_a_word_more_asks_nearly_the_same_and_another_word_asks_something_else() -> None:
    assert compared(RETURNS, RETURNS.replace("boots", "dry boots")).pairs == (Pair(0, 1, False),)
    assert compared(RETURNS, RETURNS.replace("boots", "tents")).pairs == ()


def test_many_that_are_alike_hang_together() -> None:
    many = [f"{RETURNS} I ask for order {number}" for number in range(40)]
    assert set(compared(*many, "Do you sell maps of the northern lakes?").clusters) == {0, 40}


def test_no_more_are_held_than_can_be_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pairs, "MOST_COMPARED", 2)
    found = compared(*[RETURNS] * 3)
    assert (len(found), found.total) == (2, 3)
