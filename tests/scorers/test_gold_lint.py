from __future__ import annotations

from typing import Any

import pytest

from harness.records.suite import Case
from harness.scorers import get


def codes(expect: dict[str, Any], prompt: str = "When is the office open?") -> list[str]:
    case = Case.model_validate({"id": "x", "prompt": prompt, "expect": expect})
    return [code for code, _ in get("gold").lint(case, {})]


@pytest.mark.parametrize(
    ("expect", "code"),
    [
        ({"answers": ["yes", "sure"]}, "yes-or-no"),
        ({"answers": ["No", "Not"], "match": "exact"}, "yes-or-no"),
        ({"answers": ["from nine"]}, "one-alias"),
        ({"answers": ["every day from nine until five", "9 to 5"]}, "long-alias"),
        ({"answers": ["9 (am)", "nine"]}, "brackets"),
        ({"answers": ["at nine", "..."]}, "wordless-alias"),
        ({"answers": ["from nine to five"], "match": "f1"}, "f1"),
    ],
)
def test_each_weakness_has_a_code(expect: dict[str, Any], code: str) -> None:
    assert codes(expect) == [code]


def test_an_answer_in_its_own_prompt_is_named() -> None:
    prompt = "Is the desk on the first floor or on the second floor?"
    assert codes({"answers": ["second floor", "2nd floor"]}, prompt) == ["answer-in-prompt"]


@pytest.mark.parametrize(
    "expect",
    [
        {"answers": ["at nine", "9 am"]},
        {"answers": ["12.50"], "match": "number"},
        {"answers": ["3"], "match": "number"},
        {"answers": [r"\bnine\b"], "match": "regex"},
    ],
)
def test_a_sound_case_has_none(expect: dict[str, Any]) -> None:
    assert codes(expect) == []
