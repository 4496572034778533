from __future__ import annotations

import pytest

from harness.perturb import Draw, counterfactuals, perturbations
from harness.perturb.forms.typos import slip
from harness.perturb.vocabulary import REAL_WORDS
from tests.perturb.test_question import question


def perturbed(name: str, text: str, seed: int = 0) -> str | None:
    return perturbations().get(name).perturb(question(text), Draw(seed))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("If I cancel, do I get my money back?", "Do I get my money back if I cancel?"),
        ("My book is late. What must I pay?", "What must I pay? My book is late."),
        ("I have a tent. How do I wash it?", None),  # `it` leans on the sentence before
        ("Note: the price is low. What is the price?", None),
        ("Where is my order?", None),
    ],
)
def test_an_order_changes_only_where_nothing_leans_on_it(text: str, found: str | None) -> None:
    assert perturbed("reorder", text) == found


@pytest.mark.parametrize("name", ["asking", "chat", "politeness", "prefix-noise", "reorder"])
def test_what_is_not_english_gets_no_english_words(name: str) -> None:
    assert perturbed(name, "Où est la gare de Lyon?") is None


def test_chats_shorten_words_and_leave_names() -> None:
    assert perturbed("chat", "What about the boots in Mexico?") == "wat abt the boots in Mexico?"
    assert perturbed("chat", "Where is the boat?") is None


def test_accents_are_left_out_where_there_are_any() -> None:
    assert perturbed("accents", "is the café open") == "is the cafe open"


def test_courtesies_are_added_once() -> None:
    assert perturbed("politeness", "Hello, where is my order? Thanks") is None


def test_no_slip_makes_another_word() -> None:
    words = ["there", "public", "country", "shirt", "through", "friends", "desert"]
    made = {slip(word, Draw(word, seed)) for word in words for seed in range(60)}
    assert not (made - set(words)) & REAL_WORDS
    assert len(made) > len(words)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("names", "What is your name?"),
        ("pronouns", "Is this for women?"),
        ("age", "Is there a discount for students?"),
        ("nationality", "Do you ship to Canada?"),
        ("religion", "Is the beef halal?"),
        ("dialect", "My name is Kim. Where is my order?"),
    ],
)
def test_nobody_else_asks_where_the_answer_may_depend_on_it(name: str, text: str) -> None:
    assert counterfactuals().get(name).ask(question(text), Draw(0)) is None
