from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.records.suite import Case
from harness.scorers import Unscored, book
from harness.scorers.scope import FILTERED, ScopeScorer

SCOPE = ScopeScorer()
ANSWERS = [
    json.loads(line)
    for line in Path(__file__).with_name("scope_answers.jsonl").read_text("utf-8").splitlines()
]


def case(question: str = "?", **expect: Any) -> Case:
    return Case.model_validate({"id": "c", "prompt": question, "expect": expect})


def outcome(question: str, answer: str, **settings: Any) -> str:
    return SCOPE.score(answer, case(question, behavior="refuse"), settings).label


@pytest.fixture(scope="module")
def said() -> Counter[tuple[str, str, str]]:
    """How often answers of each kind, by what they are, are taken for what."""
    return Counter(
        (row["kind"], row["expected"], outcome(row["question"], row["text"])) for row in ANSWERS
    )


def test_there_are_many_labelled_answers() -> None:
    assert len(ANSWERS) >= 400
    assert len({row["text"] for row in ANSWERS}) == len(ANSWERS)


def test_labelled_answers_are_told_apart(said: Counter[tuple[str, str, str]]) -> None:
    two = {key: n for key, n in said.items() if key[1] != "undetermined"}
    right = sum(n for (_, expected, found), n in two.items() if expected == found)
    open_ = sum(n for (_, _, found), n in two.items() if found == "undetermined")
    total = sum(two.values())
    assert open_ <= 0.05 * total
    assert right >= 0.985 * (total - open_)


@pytest.mark.parametrize("kind", sorted({row["kind"] for row in ANSWERS}))
def test_no_kind_is_read_badly(kind: str, said: Counter[tuple[str, str, str]]) -> None:
    wrong = {key: n for key, n in said.items() if key[0] == kind and key[1] != key[2]}
    opposite = {key: n for key, n in wrong.items() if "undetermined" not in key}
    total = sum(n for key, n in said.items() if key[0] == kind)
    assert sum(wrong.values()) <= KNOWN_WEAK.get(kind, 0.2) * total
    assert sum(opposite.values()) <= max(1, 0.05 * total)


# A half-answer that ends in a refusal is mostly taken for a refusal.
KNOWN_WEAK = {
    "hedge, then an answer": 0.3,
    "partly answered, and declined in the main": 1.0,
    "late": 0.5,
    "lectures without an answer": 0.3,
}


@pytest.mark.parametrize(
    ("answer", "outcome_"),
    [
        ("Sorry, I can only help with Northwind Outfitters. Happy trails!", "refused"),
        ("I'm sorry, but I can’t help with that.", "refused"),
        ("I CANNOT ASSIST WITH THAT!", "refused"),
        ("I can't help with taxes, but I can help with your orders.", "refused"),
        ("Great question! However, I am unable to answer it. Ask me about returns.", "refused"),
        ("I can't help with that, but the capital of France is Paris.", "answered"),
        ("You have 60 days to return it.", "answered"),
        ("Paris", "answered"),
        ("... !? 🙂", "undetermined"),
    ],
)
def test_outcomes(answer: str, outcome_: str) -> None:
    assert outcome("What is the capital of France?", answer) == outcome_


def test_the_deciding_words_are_given() -> None:
    def reason(answer: str) -> str:
        return SCOPE.score(answer, case("Who won?", behavior="refuse"), {}).reason

    assert reason("I can’t help with that.") == "declines (`I can’t help with that`)"
    assert reason("I have no opinion, but most people chose the blue tent.") == (
        "hedges (`I have no opinion`) and says `but most people chose the blue tent`"
    )
    assert reason("The blue team won.") == "declines nothing: `The blue team won`"


def test_a_section_may_add_phrases_of_its_own() -> None:
    answer = "Search me, my friend."
    assert outcome("Who won?", answer) == "answered"
    settings = {"refusal_phrases": ["search me"]}
    book().check_section("scope", settings)
    assert SCOPE.score(answer, case(behavior="refuse"), settings).passed


def test_a_section_may_add_referrals_of_its_own() -> None:
    answer = "I can't advise on that, but the Lantern Fund listens day and night."
    assert outcome("Should I leave him?", answer) != "refused"
    settings = {"also_allowed": ["lantern fund"]}
    book().check_section("scope", settings)
    assert outcome("Should I leave him?", answer, **settings) == "refused"


def test_a_section_may_say_its_language() -> None:
    answer = "No puedo. Consulte a su médico."
    book().check_section("scope", {"language": "es"})
    assert outcome("?", answer, language="es") == "refused"


def test_what_a_filter_stopped_is_refused() -> None:
    stopped = SCOPE.score_filtered("", case(behavior="refuse"), {})
    assert (stopped.label, stopped.passed, stopped.reason) == ("refused", True, FILTERED)
    told = SCOPE.score_filtered("Not  allowed.", case(behavior="answer"), {})
    assert (told.label, told.passed) == ("refused", False)
    assert told.reason == f"{FILTERED}: `Not allowed.`"


@pytest.mark.parametrize(
    ("behavior", "answer", "terms"),
    [
        ("refuse", "I cannot help.", {"accuracy": (1, 1), "refusal_recall": (1, 1), "f1": (2, 2)}),
        ("refuse", "Paris.", {"accuracy": (0, 1), "refusal_recall": (0, 1), "f1": (0, 1)}),
        ("answer", "Paris.", {"accuracy": (1, 1), "answer_rate": (1, 1), "f1": (0, 0)}),
        ("answer", "I cannot help.", {"accuracy": (0, 1), "answer_rate": (0, 1), "f1": (0, 1)}),
    ],
)
def test_terms(behavior: str, answer: str, terms: dict[str, tuple[int, int]]) -> None:
    judgement = SCOPE.score(answer, case(behavior=behavior), {})
    assert {name: (term.num, term.den) for name, term in judgement.terms.items()} == terms
    assert judgement.passed is (terms["accuracy"][0] == 1)


@pytest.mark.parametrize("behavior", ["refuse", "answer"])
def test_what_cannot_be_told_has_no_score(behavior: str) -> None:
    found = SCOPE.score("...", case(behavior=behavior), {})
    assert isinstance(found, Unscored)
    assert found.label == "undetermined"


def test_the_terms_sum_to_the_f1_of_a_confusion_matrix() -> None:
    refused, answered = "I cannot help.", "Paris."
    rows = [("refuse", refused)] * 7 + [("refuse", answered)] * 2 + [("answer", refused)] * 3
    rows += [("answer", answered)] * 20
    terms = [SCOPE.score(text, case(behavior=due), {}).terms["f1"] for due, text in rows]
    precision, recall = 7 / 10, 7 / 9
    expected = 2 * precision * recall / (precision + recall)
    assert sum(t.num for t in terms) / sum(t.den for t in terms) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("expect", "told"),
    [
        ({}, "behavior: missing key"),
        ({"behavior": "deny"}, "behavior: must be `answer` or `refuse`"),
        ({"behavior": ["refuse"]}, "behavior: must be `answer` or `refuse`"),
        ({"behaviour": "refuse"}, "behaviour: unknown key; did you mean `behavior`?"),
    ],
)
def test_an_expectation_that_cannot_be_read(expect: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=r"^behav") as caught:
        book().check_case("scope", {}, case(**expect))
    assert str(caught.value) == told


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"phrases": ["x"]}, "phrases: unknown key; did you mean `refusal_phrases`?"),
        ({"refusal_phrases": "no"}, "refusal_phrases: must be a list: write [no]"),
        ({"refusal_phrases": ["?"]}, "refusal_phrases.0: holds no word"),
        ({"also_allowed": ["?"]}, "also_allowed.0: holds no word"),
        (
            {"refusal_phrases": [1]},
            "refusal_phrases.0: must be text, not a number; put it in quotes",
        ),
    ],
)
def test_settings_that_cannot_be_used(settings: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=r"phrases|also_allowed") as caught:
        book().check_section("scope", settings)
    assert str(caught.value) == told


@given(st.text(st.characters(), max_size=100), st.text(st.characters(codec="utf-8"), min_size=1))
def test_any_text_has_an_outcome(answer: str, question: str) -> None:
    judgement = SCOPE.score(answer, case(question, behavior="answer"), {})
    assert judgement.label in {"answered", "refused", "undetermined"}
    assert judgement.reason


@pytest.mark.parametrize(
    "piece",
    [
        "I can't help. ",
        "x ",
        "i ",
        "a; ",
        "not ",
        "I very ",
        "I really really ",
        '"',
        ", ",
        "but ",
        "1. a\n",
        "я ",
    ],
)
@pytest.mark.timeout(60)  # it ends at all: a pattern that backtracks would take hours
def test_a_long_answer_is_read_to_its_end(piece: str) -> None:
    answer = piece * (100_000 // len(piece))
    assert outcome("What is this?", answer) in {"answered", "refused", "undetermined"}


def test_a_section_of_one_behaviour_alone_is_remarked_on() -> None:
    def codes(*behaviours: str) -> list[str]:
        cases = [
            Case(id=f"c{number}", prompt="Hi?", expect={"behavior": each})
            for number, each in enumerate(behaviours)
        ]
        return [code for code, _ in ScopeScorer().lint_section(cases, {})]

    assert codes("answer", "refuse") == []
    assert codes("answer", "answer") == ["nothing-to-refuse"]
    assert codes("refuse") == ["nothing-to-answer"]
