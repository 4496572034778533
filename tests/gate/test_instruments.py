"""Signs that what measures the two sides is not neutral between them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.gate.compare import compare
from harness.gate.instruments import warnings_of
from harness.records.metric import SHARE
from harness.records.plan import PlannedRequest
from harness.records.recording import RecordedCase, RecordedSection
from harness.records.rule import Policy
from harness.records.verdict import EvidenceWarning
from harness.sections.evidence import LABELS
from tests.builders import Answering, make_run, shop, usual

POLICY = Policy.model_validate({
    "baseline": "base",
    "rules": [
        {"metric": "shop.gold.accuracy", "require": "no_worse_than_baseline", "margin": 0.05}
    ],
})  # fmt: skip


def found(folder: Path, candidate: Answering, base: Answering = usual) -> list[EvidenceWarning]:
    project, suites = shop(folder)
    ours = make_run(project, suites, "candidate", candidate)
    theirs = make_run(project, suites, "base", base)
    return list(warnings_of(compare(ours, theirs, suites), POLICY))


def in_gold(words: str) -> Answering:
    def answering(target: str, ask: PlannedRequest) -> Any:
        text = usual(target, ask)
        return words.format(text) if ask.section == "gold" else text

    return answering


def same(_: str, ask: PlannedRequest) -> str:
    return usual("candidate", ask)


def test_like_answers_give_no_warning(tmp_path: Path) -> None:
    assert [one.code for one in found(tmp_path, same, same)] in ([], ["ceiling"])


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ("{0} " + "and so on " * 20, "length", "characters on average"),
        ("{0}<|im_end|>", "special-token", "`<|im_end|>` stands in"),
        ("</think>{0}", "special-token", "`</think>` stands in"),
        ("", "empty", "100.0 % of the candidate's answers are empty, 0.0 % of the baseline's"),
    ],
)
def test_each_sign_has_a_code_numbers_and_examples(
    tmp_path: Path, words: str, code: str, said: str
) -> None:
    (warning,) = [one for one in found(tmp_path, in_gold(words), same) if one.code == code]
    assert warning.place == "shop.gold"
    assert said in warning.what
    assert warning.cases
    assert all(path.startswith("shop/gold/") for path in warning.cases)


def test_people_who_judge_are_no_scorer_that_goes_by_length(tmp_path: Path) -> None:
    project, suites = shop(tmp_path)
    ours = make_run(project, suites, "candidate", in_gold("{0} " + "and so on " * 20))
    comparison = compare(ours, make_run(project, suites, "base", same), suites)
    case = suites[0].sections[0].cases[0]
    attempt = next(one for one in ours.attempts if one.case == case.id)
    score = next(one for one in ours.scores if one.key == attempt.key)
    cases = (RecordedCase(case=case, attempt=attempt, score=score),)
    judged = RecordedSection(
        suite="shop", section="gold", metrics=(SHARE,), cases=cases, rests_on={LABELS: "1"}
    )
    people = replace(comparison, candidate=replace(ours, taken=(judged,)))
    assert "length" in {one.code for one in warnings_of(comparison, POLICY)}
    assert "length" not in {one.code for one in warnings_of(people, POLICY)}


def test_a_baseline_without_a_right_answer_is_at_its_floor(tmp_path: Path) -> None:
    (warning,) = [one for one in found(tmp_path, same, in_gold("no idea")) if one.code == "floor"]
    assert warning.place == "shop.gold.accuracy"
    assert warning.what.endswith("so the rule `no_worse_than_baseline` cannot fail")


def test_a_sign_on_both_sides_is_none_of_a_difference(tmp_path: Path) -> None:
    empty = in_gold("")
    assert "empty" not in {one.code for one in found(tmp_path, empty, empty)}
