"""Copies of a case under new ids are no further evidence."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.config import load_project
from harness.gate.compare import compare
from harness.gate.judge import gate, planned_power
from harness.records.rule import Policy
from harness.records.verdict import Verdict
from harness.sections.section_kinds import load_suites
from tests.builders import make_run, usual
from tests.gate.test_judge import NOW
from tests.shop import gold_cases, write_lines, write_project

RULE = {"metric": "shop.gold.accuracy", "require": "at_least", "value": 0.9}
POLICY = Policy.model_validate({"baseline": "base", "rules": [RULE]})
COPIES = {
    "zero width": lambda prompt, number: prompt.replace("fact", "fa" + number * "\u200b" + "ct"),
    "punctuation": lambda prompt, number: prompt + number * "!",
    "letter case": lambda prompt, number: prompt[:number].upper() + prompt[number:],
    "lookalikes": lambda prompt, number: prompt.replace("a", "\u0430", number % 2),
    "a word": lambda prompt, number: f"{prompt} {'please ' * number}",
}


def judged(folder: Path, how: str | None, times: int = 5) -> Verdict:
    """The gate on 20 facts, each asked several times in other spellings."""
    write_project(folder, "http://127.0.0.1:1")
    asked = [
        {**case, "id": f"{case['id']}-{number}", "group": f"{case['id']}-{number}",
         "prompt": COPIES[how](case["prompt"], number) if how else case["prompt"]}
        for case in gold_cases()[:20] for number in range(times if how else 1)
    ]  # fmt: skip
    write_lines(folder / "suites/shop/gold.jsonl", asked)
    project = load_project(folder / "harness.yaml")
    suites = load_suites(project)

    def answering(target: str, ask: object) -> str:
        case = ask.case  # type: ignore[attr-defined]  # a planned request
        if ask.section != "gold":  # type: ignore[attr-defined]
            return usual(target, ask)  # type: ignore[arg-type]
        number = case.id[1:].partition("-")[0]
        return f"{target}: it is value {number}."

    runs = [make_run(project, suites, target, answering) for target in ("candidate", "base")]
    (power,) = planned_power(suites, POLICY, 0.1)
    assert power.groups == 20
    return gate(compare(runs[0], runs[1], suites), POLICY, NOW)


@pytest.mark.parametrize("how", COPIES)
def test_copies_are_one_group_in_every_interval(tmp_path: Path, how: str) -> None:
    alone, copied = judged(tmp_path / "a", None), judged(tmp_path / "b", how)
    assert alone.verdict == copied.verdict == "INCONCLUSIVE"
    assert (copied.rules[0].n, copied.rules[0].groups) == (100, 20)
    assert copied.rules[0].ci_low == pytest.approx(alone.rules[0].ci_low)
    (warning,) = [one for one in copied.warnings if one.code == "near-duplicates"]
    assert warning.place == "shop.gold"
    assert warning.what.startswith("100 groups ask nearly the same as each other and count as 20")
    assert warning.cases[:2] == ("shop/gold/g0-0", "shop/gold/g0-1")
    assert not [one for one in alone.warnings if one.code == "near-duplicates"]
