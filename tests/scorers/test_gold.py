from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.records.suite import Case
from harness.scorers import Judgement, Unscored, book, patterns
from harness.scorers.gold import GoldScorer

GOLD = GoldScorer()
ANSWERS = Path(__file__).with_name("gold_answers.jsonl")
MATCHES = "match: must be `contains`, `exact`, `regex`, `number`, `f1`, `yes_no`, `date` or `time`"


def labelled() -> list[dict[str, Any]]:
    return [json.loads(line) for line in ANSWERS.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("kind", sorted({row["kind"] for row in labelled()}))
def test_answers_are_judged_as_people_judge_them(kind: str) -> None:
    wrong = []
    for row in labelled():
        if row["kind"] == kind:
            asked = Case.model_validate(
                {"id": "c", "prompt": row["question"], "expect": row["expect"]}
            )
            book().check_case("gold", {}, asked)
            found = GOLD.score(row["text"], asked, {})
            said = "undetermined" if isinstance(found, Unscored) else found.label
            if said != row["expected"]:
                wrong.append((row["text"], row["expected"], said, found.reason))
    assert not wrong


def test_there_are_answers_of_each_outcome() -> None:
    count = Counter(row["expected"] for row in labelled())
    assert min(count["right"], count["wrong"]) >= 100
    assert count["undetermined"] >= 20


def case(**expect: Any) -> Case:
    return Case.model_validate({"id": "c", "prompt": "?", "expect": expect})


def judge(answer: str, settings: dict[str, Any] | None = None, **expect: Any) -> Judgement:
    book().check_case("gold", settings or {}, case(**expect))
    judgement = GOLD.score(answer, case(**expect), settings or {})
    assert isinstance(judgement, Judgement)
    return judgement


@pytest.mark.parametrize(
    ("answer", "expect", "passed"),
    [
        ("You have 60 days to return it.", {"answers": ["60 days"]}, True),
        ("You have sixty days.", {"answers": ["60 days", "sixty days"]}, True),
        ("You have 160 days.", {"answers": ["60 days"]}, False),
        ("November!", {"answers": ["november"], "match": "exact"}, True),
        ("The November.", {"answers": ["november"], "match": "exact"}, True),
        ("In November", {"answers": ["november"], "match": "exact"}, False),
        ("order NW-12345", {"answers": [r"NW-\d{5}"], "match": "regex"}, True),
        ("order NW-1234", {"answers": [r"NW-\d{5}"], "match": "regex"}, False),
        ("about $1,299.99", {"answers": [1300], "match": "number", "tolerance": 0.01}, True),
        ("about $1,299.98", {"answers": ["1300 dollars"], "match": "number"}, False),
        ("20", {"answers": [2e1], "match": "number"}, True),
        ("it is 60 days", {"answers": ["60 days"], "match": "f1"}, True),
        ("it is 61 weeks", {"answers": ["60 days"], "match": "f1"}, False),
        ("", {"answers": ["x"]}, False),
        ("🙂", {"answers": ["x"], "match": "exact"}, False),
    ],
)
def test_right_and_wrong(answer: str, expect: dict[str, Any], passed: bool) -> None:
    judgement = judge(answer, **expect)
    assert judgement.passed is passed
    assert judgement.label == ("right" if passed else "wrong")
    assert judgement.terms["accuracy"].num == float(passed)
    assert judgement.terms["accuracy"].den == 1.0
    assert set(judgement.terms) <= set(GOLD.metrics)
    assert "\n" not in judgement.reason


def test_the_reason_names_what_decided() -> None:
    assert judge("60 days", answers=["60 days"]).reason == "matches `60 days` (contains)"
    assert judge("?", answers=["a b", "b"]).reason == "does not contain `a b` or `b`"
    said = judge("5 or 7", answers=["6"], match="number").reason
    assert said == "does not claim `6`; the last sentence claims `7`"


def test_f1_is_the_best_over_the_answers_and_absent_without_a_reference() -> None:
    judgement = judge("sixty long days", answers=["60 days", "sixty days"])
    assert judgement.terms["f1"].num == pytest.approx(0.8)
    assert "f1" not in judge("60", answers=["60"], match="number").terms
    assert "f1" not in judge("60", answers=["60"], match="regex").terms


def test_where_match_is_f1_the_value_is_f1_and_a_threshold_decides() -> None:
    judgement = judge("it is 60 days", answers=["60 days"], match="f1")
    assert judgement.value == pytest.approx(2 / 3)
    strict = judge("it is 60 days", {"pass_f1": 0.7}, answers=["60 days"], match="f1")
    assert not strict.passed


def test_a_pattern_that_takes_too_long_leaves_the_answer_unscored_unless_another_matches(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(patterns, "SECONDS", 0.1)
    slow, answer = r"(a+)+$", "a" * 4000 + "b"
    for answers in ([slow], [slow, "x"], ["x", slow]):
        found = GOLD.score(answer, case(answers=answers, match="regex"), {})
        assert found == Unscored("the pattern took too long")
    assert judge(answer, answers=[slow, "b"], match="regex").passed


@pytest.mark.parametrize(
    ("expect", "said"),
    [
        ({}, "answers: missing key"),
        ({"answers": []}, "answers: must hold at least 1 entry"),
        ({"answers": "60 days"}, "answers: must be a list: write [60 days]"),
        ({"answers": [1]}, "answers.0: must be text, not a number; put it in quotes"),
        ({"answers": ["...", "?!"]}, "answers.1: holds no word"),
        (
            {"answers": ["x"], "match": "fuzzy"},
            MATCHES,
        ),
        (
            {"answers": ["x"], "match": []},
            MATCHES,
        ),
        ({"answers": ["x"], "matches": "f1"}, "matches: unknown key; did you mean `match`?"),
        ({"answers": ["("], "match": "regex"}, "answers.0: no regular expression: "),
        (
            {"answers": ["((a{999}){999}){999}"], "match": "regex"},
            "answers.0: its counted repeats make more than a million copies",
        ),
        (
            {"answers": ["1"], "match": "number", "tolerance": 10**400},
            "tolerance: must be a number of fewer digits",
        ),
        ({"answers": [10**400], "match": "number"}, "answers.0: must hold exactly one number"),
        ({"answers": ["x"], "match": "number"}, "answers.0: must hold exactly one number"),
        ({"answers": ["3 or 4"], "match": "number"}, "answers.0: must hold exactly one number"),
        (
            {"answers": [True], "match": "number"},
            "answers.0: must be text, not true or false; put it in quotes",
        ),
        ({"answers": ["x"], "tolerance": 1}, "tolerance: belongs to `match: number` only"),
        ({"answers": ["x"], "anywhere": True}, "anywhere: belongs to `match: number` only"),
        ({"answers": ["x"], "unit": "km"}, "unit: belongs to `match: number` only"),
        ({"answers": ["maybe"], "match": "yes_no"}, "answers.0: must be `yes` or `no`"),
        ({"answers": ["soon"], "match": "date"}, "answers.0: must be one date,"),
        ({"answers": ["May 5", "noon"], "match": "date"}, "answers.1: must be one date,"),
        ({"answers": ["5"], "match": "time"}, "answers.0: must hold exactly one time of day"),
        (
            {"answers": ["1"], "not": ["x"], "match": "number"},
            "not.0: must hold exactly one number",
        ),
        ({"all_of": []}, "all_of: must hold at least 1 entry"),
        ({"answers": ["yes"], "only": ["no"], "match": "yes_no"}, "only: does not go with"),
        ({"answers": ["x"], "all_of": ["y"], "match": "f1"}, "all_of: does not go with"),
        (
            {"answers": ["1"], "match": "number", "tolerance": -1},
            "tolerance: must be at least 0",
        ),
        (
            {"answers": ["1"], "match": "number", "tolerance": "1"},
            "tolerance: must be a number",
        ),
    ],
)
def test_an_expectation_that_cannot_be_read(expect: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=r"^[a-z]") as caught:
        book().check_case("gold", {}, case(**expect))
    assert str(caught.value).startswith(said)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"rubric": {}}, "rubric: unknown key; known here: pass_f1, squad"),
        ({"squad": "yes"}, "squad: must be true or false, not text"),
        ({"pass_f1": 0}, "pass_f1: must be more than 0"),
        ({"pass_f1": 1.5}, "pass_f1: must be at most 1"),
        ({"pass_f1": True}, "pass_f1: must be a number, not true or false"),
        ({"pass_f1": 10**400}, "pass_f1: must be a number of fewer digits"),
        ({"pass_f1": -(10**400)}, "pass_f1: must be a number of fewer digits"),
    ],
)
def test_settings_that_cannot_be_used(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=r"^[a-z]") as caught:
        book().check_section("gold", settings)
    assert str(caught.value) == said


WORD = st.sampled_from(["cat", "dog", "the", "60", "days", "$"])
PHRASE = st.lists(WORD, min_size=1, max_size=4).map(" ".join)


@given(answer=PHRASE, gold=PHRASE.filter(lambda text: set(text.split()) - {"the"} != set()))
def test_exact_implies_contains_implies_a_shared_word(answer: str, gold: str) -> None:
    if judge(answer, answers=[gold], match="exact").passed:
        assert judge(answer, answers=[gold]).passed
        assert judge(answer, answers=[gold], match="f1").value == 1.0
    if judge(answer, answers=[gold]).passed and not gold.endswith("the"):
        assert judge(answer, answers=[gold], match="f1").value > 0.0


@given(answer=PHRASE, gold=PHRASE, other=PHRASE)
def test_another_right_answer_never_makes_a_right_one_wrong(
    answer: str, gold: str, other: str
) -> None:
    if judge(answer, answers=[gold]).passed:
        assert judge(answer, answers=[other, gold]).passed
        if "$" not in other + answer:  # beside a number it makes another value
            assert judge(f"{other} {answer} {other}", answers=[gold]).passed


@given(
    answer=st.text(st.characters(), max_size=80), match=st.sampled_from(["contains", "f1", "exact"])
)
def test_any_answer_gets_a_judgement(answer: str, match: str) -> None:
    assert 0.0 <= judge(answer, answers=["60 days"], match=match).value <= 1.0


@pytest.mark.parametrize(
    ("answer", "expect", "reason"),
    [
        (
            "I'm not sure, perhaps Ana Ruiz.",
            {"answers": ["Ana Ruiz"]},
            "declines (`I'm not sure`) and yet matches `Ana Ruiz` (contains)",
        ),
        ("It is not Ana Ruiz.", {"answers": ["Ana Ruiz"]}, "`Ana Ruiz` is denied: `Ana Ruiz`"),
        (
            "Ring B or ring C.",
            {"answers": ["ring B"], "only": ["ring B", "ring C"]},
            "claims `ring C` as well, one of which excludes the other",
        ),
        (
            "In 2010.",
            {"answers": ["8 May 2010"]},
            "`8 May 2010` stands as `2010`, a less exact date",
        ),
    ],
)
def test_a_doubtful_text_is_undetermined_with_its_reason(
    answer: str, expect: dict[str, Any], reason: str
) -> None:
    assert GOLD.score(answer, case(**expect), {}) == Unscored(reason, "undetermined")


def test_with_squad_accuracy_and_f1_are_those_of_squad() -> None:
    judgement = judge("The 60 days.", {"squad": True}, answers=["60 days", "two months"])
    assert (judgement.passed, judgement.terms["f1"].num) == (True, 1.0)
    judgement = judge("It is 60 days", {"squad": True}, answers=["60 days", "..."])
    assert not judgement.passed
    assert judgement.terms["f1"].num == pytest.approx(2 / 3)


@pytest.mark.parametrize("piece", ["a ", "1 ", "1,", "1:0", "$1 ", "no one ", "May 1, ", "½", "東"])
def test_a_long_repetition_is_read_to_its_end(piece: str) -> None:
    long = piece * (50_000 // len(piece))
    assert judge(f"{long} by Ivo Brandt", answers=["Ivo Brandt", "C++"]).passed
    assert judge(f"{long}. The answer is 417", answers=[417], match="number").passed
    assert judge(f"{long}, on 4 May 2010", answers=["4 May 2010"], match="date").passed
    assert judge(f"{long} at 17:45", answers=["17:45"], match="time").passed
    assert judge(f"Yes, {long}", answers=["yes"], match="yes_no").passed


@pytest.mark.parametrize("wanted", ["I don't know", "don't know"])
def test_an_answer_that_is_to_decline_is_right_where_it_does(wanted: str) -> None:
    found = GOLD.score("I don't know that, sorry.", case(answers=[wanted]), {})
    assert isinstance(found, Judgement)
    assert found.passed


def test_a_pattern_without_a_word_is_looked_for() -> None:
    expect = case(answers=[r"^\W+$"], match="regex")
    assert GOLD.score("...!", expect, {}).passed
    assert not GOLD.score("yes!", expect, {}).passed
