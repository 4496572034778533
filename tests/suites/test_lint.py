from __future__ import annotations

from typing import Any

import pytest

from harness.records.suite import Case, Suite
from harness.sections.prompts import PromptsSection
from harness.suites import lint_suite


def suite(cases: list[dict[str, Any]]) -> Suite:
    section = PromptsSection(
        name="one",
        scorer="gold",
        metrics=("accuracy",),
        cases_file="one.jsonl",
        cases=tuple(Case.model_validate(case) for case in cases),
    )
    return Suite(
        name="demo", domain="d", version=1, sections=(section,), digest="sha256:0", folder="."
    )


def sound() -> list[dict[str, Any]]:
    return [{"id": f"c{i}", "prompt": f"Question {i}?", "critical": i == 0} for i in range(8)]


def test_a_sound_suite_has_no_warnings() -> None:
    assert lint_suite(suite(sound())) == ()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"group": "g"},
            "demo: one: 1 group only; below 8 nearly every comparison is inconclusive",
        ),
        (
            {"prompt": "Same?"},
            "demo: one: `c0` and `c1` ask the same and count as independent: give them one group",
        ),
        (
            {"critical": False},
            "demo: no case is critical: the rule no_new_critical_failures has nothing to watch",
        ),
    ],
)
def test_what_weakens_a_suite_is_named(change: dict[str, Any], said: str) -> None:
    assert lint_suite(suite([{**case, **change} for case in sound()]))[0] == said


def test_a_group_much_larger_than_the_others_is_named() -> None:
    def lopsided(extra: int) -> list[dict[str, Any]]:
        more = [{"id": f"x{i}", "prompt": f"More {i}?", "group": "c0"} for i in range(extra)]
        return sound() + more

    assert lint_suite(suite(lopsided(3))) == ()
    (said,) = lint_suite(suite(lopsided(6)))
    assert said == (
        "demo: one: group `c0` has 7 cases, 1.8 is the mean; intervals allow for another one as "
        "large, so split it or thin it out"
    )
