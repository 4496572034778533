from __future__ import annotations

from typing import Any

import pytest

from harness.records.finding import Finding
from harness.records.suite import Case, Section, Suite
from harness.sections.prompts import PromptsSection
from harness.suites import lint_suite

QUESTIONS = (
    "When do you open on Sundays?", "What does a parcel to Spain cost?", "Do you sell gift cards?",
    "How long is the warranty on boots?", "Who repairs a broken zip?", "Is the lake path closed?",
    "Where can I leave my old skis?", "Which card types are accepted online?",
)  # fmt: skip


def suite(cases: list[dict[str, Any]], **section: Any) -> Suite:
    one = PromptsSection(
        name="one",
        scorer=section.pop("scorer", "gold"),
        metrics=("accuracy",),
        cases_file="one.jsonl",
        cases=tuple(Case.model_validate(case) for case in cases),
        **section,
    )
    return Suite(name="demo", domain="d", version=1, sections=(one,), digest="sha256:0", folder=".")


def sound() -> list[dict[str, Any]]:
    return [
        {
            "id": f"c{place}",
            "prompt": question,
            "critical": place == 0,
            "expect": {"answers": [f"the answer {place}", f"answer number {place}"]},
        }
        for place, question in enumerate(QUESTIONS)
    ]


def changed(**change: Any) -> list[dict[str, Any]]:
    return [{**case, **change} for case in sound()]


def test_a_sound_suite_has_no_findings() -> None:
    assert lint_suite(suite(sound())) == ()


@pytest.mark.parametrize(
    ("cases", "code", "ids"),
    [
        (changed(group="g"), "few-groups", ()),
        (changed(prompt="Same?"), "near-duplicate", ("c0", "c1")),
        (changed(critical=False), "no-critical-case", ()),
        (changed(expect={"answers": ["."], "match": "regex"}), "always-passes",
         tuple(f"c{place}" for place in range(8))),
    ],
)  # fmt: skip
def test_what_weakens_a_suite_is_named(
    cases: list[dict[str, Any]], code: str, ids: tuple[str, ...]
) -> None:
    assert ids in [each.cases for each in lint_suite(suite(cases)) if each.code == code]


def test_a_suite_that_scores_no_answers_lacks_no_critical_case() -> None:
    cases = tuple(Case.model_validate(case) for case in changed(critical=False))
    nats = Section(name="one", scorer="likelihood", metrics=("nats",), cases=cases)
    assert lint_suite(suite(sound()).model_copy(update={"sections": (nats,)})) == ()


def test_a_question_with_a_word_changed_counts_as_the_same_where_the_same_is_expected() -> None:
    long = "Could you please tell me when exactly the shop in the old town opens on {}?"
    twins = [
        {**case, "prompt": long.format(day)}
        for case, day in zip(sound()[:2], ("Monday", "Tuesday"), strict=True)
    ]
    assert not [one for one in lint_suite(suite(twins)) if one.code == "near-duplicate"]
    same = [{**case, "expect": {"answers": ["nine", "9"]}} for case in twins]
    (found,) = [one for one in lint_suite(suite(same)) if one.code == "near-duplicate"]
    assert "give them one group" in found.what
    family = [{**case, "group": "opening"} for case in same]
    assert not [one for one in lint_suite(suite(family)) if one.code == "near-duplicate"]


def test_a_group_of_unlike_questions_is_named() -> None:
    cases = sound()
    cases[1]["group"] = cases[0]["id"]
    (found,) = lint_suite(suite(cases))[1:]
    assert (found.code, found.cases) == ("unlike-group", ("c0", "c1"))


def test_a_group_much_larger_than_the_others_is_named() -> None:
    def lopsided(extra: int) -> list[dict[str, Any]]:
        one = sound()[0]
        return sound() + [{**one, "id": f"x{place}", "group": "c0"} for place in range(extra)]

    assert lint_suite(suite(lopsided(3))) == ()
    (found,) = lint_suite(suite(lopsided(6)))
    assert found == Finding(
        "one",
        "large-group",
        "group `c0` has 7 cases, 1.8 is the mean; intervals allow for another one as large, so "
        "add groups or thin it out",
    )


def test_what_an_author_has_seen_is_left_out_and_what_is_not_there_is_said() -> None:
    cases = changed(prompt="Same?")
    found = lint_suite(suite(cases, lint_ignore=("near-duplicate", "few-groups", "f1")))
    assert [each.code for each in found] == ["unused-ignore"]
    assert "`f1`" in found[0].what
