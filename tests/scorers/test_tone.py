from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.records.suite import Case
from harness.scorers import Judgement, Unscored, book, patterns
from harness.scorers.tone import ToneScorer

TONE = ToneScorer()
RUBRIC = {
    "rubric": {
        "must": [{"name": "signs off", "any": ["happy trails"]}],
        "must_not": [
            {"name": "slang", "any": ["dude", "no worries"]},
            {"name": "shouting", "regex": r"\b[A-Z]{4,}\b"},
        ],
        "max_words": 10,
    }
}


def case(**expect: Any) -> Case:
    return Case.model_validate({"id": "c", "prompt": "?", "expect": expect})


def judge(answer: str, settings: dict[str, Any] | None = None, **expect: Any) -> Judgement:
    settings = RUBRIC if settings is None else settings
    book().check_section("tone", settings)
    book().check_case("tone", settings, case(**expect))
    judgement = TONE.score(answer, case(**expect), settings)
    assert isinstance(judgement, Judgement)
    return judgement


@pytest.mark.parametrize(
    ("answer", "expect", "value", "reason"),
    [
        ("Done. Happy trails!", {}, 1.0, "all 4 checks hold"),
        ("Done.", {}, 0.75, "broken: signs off: missing"),
        (
            "DONE, dude.",
            {},
            0.25,
            "broken: signs off: missing; slang: says `dude`; shouting: says `DONE`",
        ),
        ("Happy trails! " + "on and " * 5, {}, 0.75, "broken: 12 words, at most 10"),
        ("Happy trails!", {"must": ["sorry"]}, 0.8, "broken: `sorry`: missing"),
        ("Sorry! Happy trails!", {"must": ["sorry"]}, 1.0, "all 5 checks hold"),
        (
            "Happy trails, friend.",
            {"must_not": ["friend", "pal"]},
            5 / 6,
            "broken: `friend`: says `friend`",
        ),
        ("Dudes say happy trails", {}, 1.0, "all 4 checks hold"),
    ],
)
def test_adherence(answer: str, expect: dict[str, Any], value: float, reason: str) -> None:
    judgement = judge(answer, **expect)
    assert judgement.value == pytest.approx(value)
    assert judgement.reason == reason
    assert judgement.passed is (value == 1.0)
    assert judgement.terms["adherence"].num == pytest.approx(value)
    assert judgement.terms["adherence"].den == 1.0


def test_a_section_without_a_rubric_uses_the_case_alone() -> None:
    assert judge("sorry", {}, must=["sorry"]).passed


def test_a_pattern_that_takes_too_long_leaves_the_answer_unscored(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(patterns, "SECONDS", 0.1)
    settings = {"rubric": {"must_not": [{"name": "slow", "regex": r"(a+)+$"}], "min_words": 2}}
    found = TONE.score("a" * 4000 + "b", case(), settings)
    assert found == Unscored("the pattern took too long")


def test_what_a_pattern_matched_is_quoted_in_part() -> None:
    settings = {"rubric": {"must_not": [{"name": "all", "regex": "(?s).+"}]}}
    assert judge("a" * 10_000, settings).reason == f"broken: all: says `{'a' * 200}`"


def test_min_words() -> None:
    settings = {"rubric": {"min_words": 2}}
    assert judge("too", settings).reason == "broken: 1 words, at least 2"
    assert judge("two words", settings).passed


@pytest.mark.parametrize(
    ("rubric", "said"),
    [
        ([], "rubric: must be a mapping of `key: value` lines, not a list"),
        ({"most": 3}, "rubric.most: unknown key; did you mean `must`?"),
        ({"must": "x"}, "rubric.must: must be a list"),
        ({"must": ["x"]}, "rubric.must.0: must be a mapping of `key: value` lines, not text"),
        ({"must": [{"any": ["x"]}]}, "rubric.must.0.name: missing key"),
        ({"must": [{"name": "n"}]}, "rubric.must.0: give either `any` or `regex`"),
        (
            {"must_not": [{"name": "n", "any": ["x"], "regex": "x"}]},
            "rubric.must_not.0: give either `any` or `regex`",
        ),
        ({"must": [{"name": "n", "all": ["x"]}]}, "rubric.must.0.all: unknown key; known here"),
        ({"must": [{"name": "n", "any": []}]}, "rubric.must.0.any: must hold at least 1 entry"),
        ({"must": [{"name": "n", "regex": "("}]}, "rubric.must.0.regex: no regular expression"),
        ({"must": [{"name": "n", "regex": ""}]}, "rubric.must.0.regex: must not be empty"),
        ({"max_words": 0}, "rubric.max_words: must be at least 1"),
        ({"max_words": True}, "rubric.max_words: must be a whole number, not true or false"),
        ({"min_words": 5, "max_words": 4}, "rubric.min_words: is more than max_words"),
    ],
)
def test_a_rubric_that_cannot_be_used(rubric: Any, said: str) -> None:
    with pytest.raises(ValueError, match=r"^rubric") as caught:
        book().check_section("tone", {"rubric": rubric})
    assert str(caught.value).startswith(said)


@pytest.mark.parametrize(
    ("expect", "said"),
    [
        ({}, "must: neither the section's rubric nor the case has a check"),
        ({"must": []}, "must: must hold at least 1 entry"),
        ({"must": ["?"]}, "must.0: holds no word"),
        ({"should": ["x"]}, "should: unknown key; known here: must, must_not"),
    ],
)
def test_an_expectation_that_cannot_be_read(expect: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=r"^[a-z]") as caught:
        book().check_case("tone", {}, case(**expect))
    assert str(caught.value) == said


@given(st.text(st.characters(), max_size=80))
def test_any_answer_gets_a_judgement_that_agrees_with_itself(answer: str) -> None:
    judgement = judge(answer)
    assert 0.0 <= judgement.value <= 1.0
    assert judgement.passed is (judgement.value == 1.0)
    assert judgement.passed is (judgement.label == "on-voice")
