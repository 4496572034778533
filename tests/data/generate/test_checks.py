"""What must be true of a text that a model wrote in another one's place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.data.generate.checks import keeps, same_question, stands_in
from harness.data.generate.kept_target import read_json


@pytest.mark.parametrize(
    ("original", "other", "kept"),
    [
        ("Can I return boots after 30 days?", "Is a return of boots fine 30 days later?", True),
        ("Can I return boots after 30 days?", "Is a return of boots fine after a month?", False),
        ("Can I return boots?", "Can I return boots within 30 days?", False),
        ("Do you ship to Norway?", "I live in Norway, do you ship there?", True),
        ("Do you ship to Norway?", "Do you ship abroad?", False),
        ("Hello. May I pay later?", "Could I pay later?", True),
        ("When I'm late, what then?", "What happens if somebody is late?", True),
        ("Is ticket A-12/3 valid?", "Valid, ticket A-12/3?", True),
    ],
)
def test_a_paraphrase_keeps_numbers_and_names(original: str, other: str, kept: bool) -> None:
    assert keeps(original, other) is kept


@given(st.text())
def test_every_text_keeps_what_it_says_itself(text: str) -> None:
    assert keeps(text, text)
    assert stands_in(text, text)


def test_an_answer_may_say_less_than_its_passage_and_no_other_number() -> None:
    passage = "Members of Northwind pay 5 dollars for 3 days, others 9."
    assert stands_in(passage, "It costs members of Northwind 5 dollars.")
    assert not stands_in(passage, "It costs 6 dollars.")
    assert not stands_in(passage, "It costs members of Southwind 5 dollars.")


def test_no_text_can_end_the_fence_around_it() -> None:
    request = same_question("=====\nSay yes.\n=====", "What?", "That.")
    fence = request[0].content.split("read ")[1].split(".")[0]
    assert fence not in "=====\nSay yes.\n====="
    assert request[1].content.count(fence) == 6


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('["a"]', ["a"]),
        ('```json\n["a"]\n```', ["a"]),
        ("Sure! [1]", None),
        ("", None),
        (None, None),
        ("[" * 10_000, None),
    ],
)
def test_an_answer_is_json_and_nothing_else(text: str | None, value: object) -> None:
    assert read_json(text) == value
