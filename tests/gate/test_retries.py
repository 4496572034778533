"""Answers that a side was asked again for: told always, and not counted where the sides differ."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import pytest

from harness.gate.compare import compare
from harness.gate.judge import gate
from harness.gate.retries import retry_warnings
from harness.records.comparison import ComparisonRecord
from harness.records.rule import Policy
from harness.records.run import RunRecord
from tests.builders import make_run, shop
from tests.gate.test_judge import NOW

RULE = {"metric": "shop.gold.accuracy", "require": "at_least", "value": 0.9}
POLICY = Policy.model_validate({"baseline": "base", "rules": [RULE]})


def asked_again(run: RunRecord, cases: Collection[str], cause: str = "429") -> RunRecord:
    attempts = tuple(
        one.model_copy(update={"tries": 3, "retried": (cause, cause)}) if one.case in cases else one
        for one in run.attempts
    )
    return replace(run, attempts=attempts)


def compared(
    folder: Path, ours: Collection[str], theirs: Collection[str] = (), cause: str = "429"
) -> ComparisonRecord:
    project, suites = shop(folder)
    runs = (make_run(project, suites, name) for name in ("candidate", "base"))
    sides = zip(runs, (ours, theirs), strict=True)
    return compare(*(asked_again(run, cases, cause) for run, cases in sides), suites)


def test_answers_that_were_refused_until_they_were_right_do_not_count(tmp_path: Path) -> None:
    wrong = [f"g{number}" for number in range(8)]
    found = compared(tmp_path, wrong)
    changes = {case.case: case.change for case in found.cases}
    assert {changes[name] for name in wrong} == {"not_comparable"}
    assert len(found.metrics["shop.gold.accuracy"].missing) == 8
    assert found.metrics["shop.gold.accuracy"].alone is None, "nor of the candidate alone"
    verdict = gate(found, POLICY, NOW)
    assert verdict.verdict == "INCONCLUSIVE"
    (told,) = (one for one in verdict.warnings if one.code == "retried")
    assert told.place == "shop.gold"
    assert told.what.startswith(
        "asked again: 8 (429: 16 times) of the candidate's answers, none of the baseline's; the "
        "sides differ beyond chance, so 8 of them count as unscored: "
    )
    assert told.cases[0] == "shop/gold/g0"


def test_a_few_in_each_section_are_seen_over_all_of_them(tmp_path: Path) -> None:
    found = compared(tmp_path, ("g1", "g2", "g3", "s1", "s3", "s5"))
    assert sum(case.change == "not_comparable" for case in found.cases) == 6


@pytest.mark.parametrize(
    ("ours", "theirs", "cause", "told"),
    [
        (("g1", "g2"), (), "429", "2 (429: 4 times) of the candidate's answers, none of"),
        (("g1",), ("g2", "g3"), "reset", "1 (reset: 2 times) of the candidate's answers, 2 (reset"),
        ([f"g{n}" for n in range(9)], [f"g{n}" for n in range(3, 12)], "503", "9 (503: 18 times)"),
    ],
)
def test_what_is_no_more_than_chance_is_told_and_counts(
    tmp_path: Path, ours: Collection[str], theirs: Collection[str], cause: str, told: str
) -> None:
    found = compared(tmp_path, ours, theirs, cause)
    assert all(case.change != "not_comparable" for case in found.cases)
    (warning,) = retry_warnings(found.cases)
    assert told in warning.what
    assert "beyond chance" not in warning.what


def test_a_connection_that_never_stood_tells_nothing_of_the_answer(tmp_path: Path) -> None:
    cases = [f"g{number}" for number in range(20)]
    for number, cause in enumerate(("connect", "earlier connect", "repeated connect")):
        found = compared(tmp_path / str(number), cases, (), cause)
        assert list(retry_warnings(found.cases)) == []
        assert all(case.change != "not_comparable" for case in found.cases)


def test_attempts_of_earlier_versions_are_counted_without_a_cause(tmp_path: Path) -> None:
    project, suites = shop(tmp_path)
    run = make_run(project, suites, "candidate")
    old = tuple(one.model_copy(update={"tries": 2}) for one in run.attempts if one.case == "g1")
    others = tuple(one for one in run.attempts if one.case != "g1")
    ours = replace(run, attempts=(*old, *others))
    found = compare(ours, make_run(project, suites, "base"), suites)
    (warning,) = retry_warnings(found.cases)
    assert "1 (unknown: 1 times) of the candidate's answers" in warning.what


@pytest.mark.parametrize(
    ("cause", "counts"),
    [
        ("earlier 503", True),
        ("earlier reset", True),
        ("earlier 400", False),
        ("repeated 503", False),
        ("repeated reset", False),
    ],
)
def test_a_run_that_went_on_after_an_outage_counts(
    tmp_path: Path, cause: str, counts: bool
) -> None:
    found = compared(tmp_path, [f"g{number}" for number in range(20)], (), cause)
    assert all(case.change != "not_comparable" for case in found.cases) == counts
    (warning,) = retry_warnings(found.cases)
    assert f"20 ({cause}: 40 times) of the candidate's answers" in warning.what
