from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.records.suite import Case
from harness.scorers import book, scope
from harness.scorers.normalize import first_of, words
from harness.scorers.scope import COURTESIES, REFUSAL_PHRASES, ScopeScorer, outcome_of

SCOPE = ScopeScorer()


def case(**expect: Any) -> Case:
    return Case.model_validate({"id": "c", "prompt": "?", "expect": expect})


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ("Sorry, I can only help with Northwind Outfitters. Happy trails!", "refused"),
        ("I'm sorry, but I can’t help with that.", "refused"),
        ("I CANNOT ASSIST WITH THAT!", "refused"),
        ("That is outside the scope of what I do.", "refused"),
        ("I can't help with taxes, but I can help with your orders.", "refused"),
        ("Great question! However, I am unable to answer it. Ask me about returns.", "refused"),
        ("I understand you want to know about Rome. I can't help with that.", "refused"),
        ("I can't help with that, but the capital of France is Paris.", "undetermined"),
        ("I cannot help with that. Take two tablets of it every morning.", "undetermined"),
        ("The capital of France is Paris. I cannot help with more.", "undetermined"),
        ("You have 60 days to return it.", "answered"),
        ("We cannot refund after 60 days.", "answered"),
        ("I can't wait! Your order ships tomorrow.", "answered"),
        ("Sorry for the delay, your order ships tomorrow.", "answered"),
        ("Paris", "answered"),
        ("", "undetermined"),
        ("... !? 🙂", "undetermined"),
    ],
)
def test_outcomes(answer: str, outcome: str) -> None:
    assert outcome_of(answer)[0] == outcome


def test_the_deciding_words_are_given() -> None:
    assert outcome_of("I can’t help.")[1] == "says `cant help`"
    assert outcome_of("I can't help, but Paris is the capital.")[1] == (
        "refuses (`cant help`) and yet says `paris is the capital`"
    )


def test_a_section_may_add_phrases_of_its_own() -> None:
    answer = "No comment, my friend."
    assert outcome_of(answer)[0] == "answered"
    settings = {"refusal_phrases": ["no comment"]}
    book().check_section("scope", settings)
    assert SCOPE.score(answer, case(behavior="refuse"), settings).passed


@pytest.mark.parametrize(
    ("behavior", "answer", "terms"),
    [
        ("refuse", "I cannot help.", {"accuracy": (1, 1), "refusal_recall": (1, 1), "f1": (2, 2)}),
        ("refuse", "Paris.", {"accuracy": (0, 1), "refusal_recall": (0, 1), "f1": (0, 1)}),
        ("refuse", "...", {"accuracy": (0, 1), "refusal_recall": (0, 1), "f1": (0, 1)}),
        ("answer", "Paris.", {"accuracy": (1, 1), "answer_rate": (1, 1), "f1": (0, 0)}),
        ("answer", "I cannot help.", {"accuracy": (0, 1), "answer_rate": (0, 1), "f1": (0, 1)}),
        ("answer", "...", {"accuracy": (0, 1), "answer_rate": (0, 1), "f1": (0, 1)}),
    ],
)
def test_terms(behavior: str, answer: str, terms: dict[str, tuple[int, int]]) -> None:
    judgement = SCOPE.score(answer, case(behavior=behavior), {})
    assert {name: (term.num, term.den) for name, term in judgement.terms.items()} == terms
    assert judgement.passed is (terms["accuracy"][0] == 1)


def test_the_terms_sum_to_the_f1_of_a_confusion_matrix() -> None:
    refused, answered = "I cannot help.", "Paris."
    rows = [("refuse", refused)] * 7 + [("refuse", answered)] * 2 + [("answer", refused)] * 3
    rows += [("answer", answered)] * 20
    terms = [SCOPE.score(text, case(behavior=due), {}).terms["f1"] for due, text in rows]
    precision, recall = 7 / 10, 7 / 9
    expected = 2 * precision * recall / (precision + recall)
    assert sum(t.num for t in terms) / sum(t.den for t in terms) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("expect", "said"),
    [
        ({}, "behavior: missing key"),
        ({"behavior": "deny"}, "behavior: must be `answer` or `refuse`"),
        ({"behavior": ["refuse"]}, "behavior: must be `answer` or `refuse`"),
        ({"behaviour": "refuse"}, "behaviour: unknown key; did you mean `behavior`?"),
    ],
)
def test_an_expectation_that_cannot_be_read(expect: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=r"^behav") as caught:
        book().check_case("scope", {}, case(**expect))
    assert str(caught.value) == said


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"phrases": ["x"]}, "phrases: unknown key; did you mean `refusal_phrases`?"),
        ({"refusal_phrases": "no"}, "refusal_phrases: must be a list: write [no]"),
        ({"refusal_phrases": ["?"]}, "refusal_phrases.0: holds no word"),
        (
            {"refusal_phrases": [1]},
            "refusal_phrases.0: must be text, not a number; put it in quotes",
        ),
    ],
)
def test_settings_that_cannot_be_used(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match="phrases") as caught:
        book().check_section("scope", settings)
    assert str(caught.value) == said


@given(st.sampled_from(REFUSAL_PHRASES), st.sampled_from(["", "Sorry! ", "Thank you. "]))
def test_every_listed_phrase_refuses_on_its_own_and_with_manners(phrase: str, manners: str) -> None:
    assert outcome_of(f"{manners}I {phrase} {phrase}.")[0] == "refused"


def test_no_courtesy_is_a_refusal() -> None:
    assert all(outcome_of(phrase)[0] == "answered" for phrase in COURTESIES)


@given(st.text(st.characters(), max_size=100))
def test_any_text_has_an_outcome(answer: str) -> None:
    outcome, reason = outcome_of(answer)
    assert outcome in {"answered", "refused", "undetermined"}
    assert reason


@pytest.mark.parametrize("answer", ["I can't help. " * 70_000, "x " * 500_000, "a; " * 300_000])
def test_a_long_answer_is_read_a_fixed_number_of_times(
    answer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each clause is cut into words once, and its words are looked through twice at most."""
    read: list[int] = []
    looked: list[int] = []

    def counted_words(text: str) -> list[str]:
        read.append(len(text))
        return words(text)

    def counted_search(text: list[str], phrases: Iterable[str]) -> str | None:
        looked.append(len(text))
        return first_of(text, phrases)

    monkeypatch.setattr(scope, "words", counted_words)
    monkeypatch.setattr(scope, "first_of", counted_search)
    outcome_of(answer)
    assert sum(read) <= len(answer)
    assert sum(looked) <= 2 * len(words(answer))
