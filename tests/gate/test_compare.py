"""Each evidence rule, broken on purpose."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.gate.compare import compare
from harness.records.attempt import Failure
from harness.records.rule import Policy
from harness.records.run import RunRecord
from harness.run.plan import Selection
from harness.sections.section_kinds import load_suites
from tests.builders import changed, make_run, proof, shop, usual
from tests.shop import write_lines


def problems(
    tmp_path: Path, spoil: Callable[[RunRecord], RunRecord] = lambda run: run, **made: Any
) -> str:
    project, suites = shop(tmp_path)
    base = make_run(project, suites, "base")
    candidate = spoil(make_run(project, suites, "candidate", **made))
    return "; ".join(compare(candidate, base, suites).problems)


def test_sound_evidence_has_no_problem(tmp_path: Path) -> None:
    assert problems(tmp_path, adapter="sha256:a", adapter_proof=proof()) == ""


@pytest.mark.parametrize(
    ("made", "message"),
    [
        ({"adapter": "sha256:a"}, "carries no proof that its adapter was applied"),
        ({"adapter": "sha256:a", "adapter_proof": proof("sha256:b")}, "is for other weights"),
        ({"adapter": "sha256:a", "adapter_proof": proof(differing=0)}, "is not applied"),
        ({"selection": Selection(limit=3)}, "asked only a part of the project's suites (--limit"),
        ({"answering": lambda _, ask: usual("base", ask)},
         "gave the same text in all 80 cases: the candidate was not what answered"),
        ({"answering": lambda who, ask: None if ask.case.id == "g1" else usual(who, ask)},
         "planned 80 attempts and accounts for 79"),
    ],
)  # fmt: skip
def test_evidence_that_cannot_be_trusted_is_named(
    tmp_path: Path, made: dict[str, Any], message: str
) -> None:
    assert message in problems(tmp_path, **made)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda run: changed(run, finished=None), "`candidate` is not finished"),
        (lambda run: replace(run, scores=run.scores[1:]), "accounts for 79"),
        (lambda run: replace(run, scores=run.scores[1:]), "1 attempts exist on one side only"),
        (lambda run: replace(run, scores=run.scores + run.scores[:1]), "has a case twice"),
        (lambda run: replace(run, attempts=run.attempts[1:]), "has scores without attempts"),
    ],
)
def test_records_that_were_tampered_with_are_named(
    tmp_path: Path, spoil: Callable[[RunRecord], RunRecord], message: str
) -> None:
    assert message in problems(tmp_path, spoil)


def test_the_same_model_against_itself_is_no_comparison(tmp_path: Path) -> None:
    project, suites = shop(tmp_path)
    run = make_run(project, suites, "base")
    assert "`base` is the baseline itself" in "; ".join(compare(run, run, suites).problems)


@pytest.mark.parametrize(
    ("adapter", "server", "found"),
    [
        ("http://x/v1#good", "test", True),
        ("sha256:a", "test", False),  # the project names the files that it means
        ("http://x/v1#good", "another", False),
    ],
)
def test_a_baseline_that_is_listed_as_an_adapter_of_the_candidate(
    tmp_path: Path, adapter: str, server: str, found: bool
) -> None:
    project, suites = shop(tmp_path)
    ours = make_run(project, suites, "candidate")
    theirs = make_run(project, suites, "base", adapter=adapter, adapter_proof=proof(adapter))
    plain = ours.header.identity.model_copy(update={"weights": None, "model": "b"})
    tuned = theirs.header.identity.model_copy(update={"weights": None, "server": server})
    problems = compare(
        changed(ours, identity=plain), changed(theirs, identity=tuned), suites
    ).problems
    assert any("they are swapped" in problem for problem in problems) == found


def test_runs_on_another_version_of_a_suite_are_named(tmp_path: Path) -> None:
    project, suites = shop(tmp_path)
    base, candidate = (make_run(project, suites, name) for name in ("base", "candidate"))
    path = tmp_path / "suites/shop/gold.jsonl"
    path.write_text(path.read_text().replace("value 7", "value 77"))
    found = compare(candidate, base, load_suites(project)).problems
    assert len([text for text in found if "another version of suite `shop`" in text]) == 2


def test_changes_are_told_apart(tmp_path: Path) -> None:
    project, suites = shop(tmp_path)

    def answering(target: str, ask: Any) -> str | Failure:
        if ask.case.id == "g0":  # the base knows it
            return "no idea"
        if ask.case.id == "g4":
            return Failure(cause="timeout", detail="late")
        return "no idea" if ask.case.id == "g1" else usual(target, ask)

    base = make_run(project, suites, "base")
    candidate = make_run(project, suites, "candidate", answering)
    by_case = {case.case: case for case in compare(candidate, base, suites).cases}
    assert {name: by_case[name].change for name in ("g0", "g1", "g2", "g4", "g8")} == {
        "g0": "new_failure",
        "g1": "still_failing",
        "g2": "fixed",
        "g4": "not_comparable",
        "g8": "still_passing",
    }
    assert by_case["g0"].messages[0].role == "system"


def test_metrics_pair_by_case_and_average_repeats(tmp_path: Path) -> None:
    project, suites = shop(tmp_path)
    twice = Selection(repeats=2)

    def answering(target: str, ask: Any) -> str:
        return "no idea" if (ask.case.id, ask.repeat) == ("g0", 1) else usual(target, ask)

    base = make_run(project, suites, "base", selection=twice)
    candidate = make_run(project, suites, "candidate", answering, selection=twice)
    comparison = compare(candidate, base, suites)
    accuracy = comparison.metrics["shop.gold.accuracy"]
    assert len(accuracy.candidate_num) == 40
    assert accuracy.candidate_num[0] == 0.5
    assert accuracy.candidate_value == pytest.approx(39.5 / 40)
    assert accuracy.baseline_value == 0.25
    recall = comparison.metrics["shop.scope.refusal_recall"]
    assert (len(recall.groups), recall.is_mean) == (20, True)
    f1 = comparison.metrics["shop.scope.f1"]
    assert (f1.candidate_value, f1.baseline_value, f1.is_mean) == (1.0, 0.0, False)


def test_metrics_carry_the_groups_of_their_cases(tmp_path: Path) -> None:
    project, _ = shop(tmp_path)
    path = tmp_path / "suites/shop/gold.jsonl"
    cases = [json.loads(line) for line in path.read_text().splitlines()]
    write_lines(path, [case | {"group": f"fact {at // 4}"} for at, case in enumerate(cases)])
    suites = load_suites(project)
    made = compare(
        make_run(project, suites, "candidate"), make_run(project, suites, "base"), suites
    )
    labels, counts = np.unique(made.metrics["shop.gold.accuracy"].groups, return_counts=True)
    assert len(labels) == 10
    assert set(counts) == {4}


def test_a_case_with_an_answer_missing_is_no_smaller_n(tmp_path: Path) -> None:
    project, suites = shop(tmp_path)

    def fails(target: str, ask: Any) -> str | Failure:
        return (
            Failure(cause="timeout", detail="late") if ask.case.id == "s2" else usual(target, ask)
        )

    made = compare(
        make_run(project, suites, "candidate", fails), make_run(project, suites, "base"), suites
    )
    assert list(made.metrics["shop.scope.accuracy"].missing) == ["s2"]
    assert list(made.metrics["shop.scope.refusal_recall"].missing) == ["s2"]
    assert not made.metrics["shop.scope.answer_rate"].missing.size, "s2 calls for a refusal"
    assert not made.metrics["shop.gold.accuracy"].missing.size
    assert made.metrics["shop.scope.accuracy"].groups.size == 39


def test_what_the_baseline_lacks_is_no_gap_in_the_candidates_own_value(tmp_path: Path) -> None:
    project, suites = shop(tmp_path)

    def fails(target: str, ask: Any) -> str | Failure:
        late = ask.case.id in {"s2", "s4"} and target == "base"
        return Failure(cause="timeout", detail="late") if late else usual(target, ask)

    ours = make_run(project, suites, "candidate")
    whole = compare(ours, make_run(project, suites, "base"), suites)
    gaps = compare(ours, make_run(project, suites, "base", fails), suites)
    rule = {"metric": "shop.scope.accuracy", "require": "at_least", "value": 0.8}
    policy = Policy.model_validate({"baseline": "base", "min_scored": 0.9, "rules": [rule]})
    for evidence in ("bound", "point"):
        judged = policy.rules[0].model_copy(update={"evidence": evidence})
        expected, found = judged.judge(whole, 0.05), judged.judge(gaps, 0.05)
        assert found.model_copy(update={"baseline": None}) == expected.model_copy(
            update={"baseline": None}
        )
    better = {"metric": "shop.scope.accuracy", "require": "better_than_baseline"}
    (paired,) = Policy.model_validate({"baseline": "base", "rules": [better]}).rules
    assert "2 cases without a score" in paired.judge(gaps, 0.05).reason


def test_what_the_candidate_lacks_is_a_gap_in_its_own_value(tmp_path: Path) -> None:
    project, suites = shop(tmp_path)

    def fails(target: str, ask: Any) -> str | Failure:
        late = ask.case.id == ("s2" if target == "base" else "s4")
        return Failure(cause="timeout", detail="late") if late else usual(target, ask)

    runs = [make_run(project, suites, target, fails) for target in ("candidate", "base")]
    metric = compare(*runs, suites).metrics["shop.scope.accuracy"]
    assert sorted(metric.missing) == ["s2", "s4"]
    assert metric.alone is not None
    assert list(metric.alone.missing) == ["s4"]
    assert metric.alone.groups.size == 39


def test_a_case_unscored_on_both_sides_concerns_every_metric_and_else_what_a_score_names(
    tmp_path: Path,
) -> None:
    project, suites = shop(tmp_path)

    def silent(target: str, ask: Any) -> str:
        return "" if ask.case.id == "s3" else usual(target, ask)

    both = [make_run(project, suites, target, silent) for target in ("candidate", "base")]
    made = compare(both[0], both[1], suites)
    assert made.metrics["shop.scope.refusal_recall"].missing.size == 1
    one = compare(both[0], make_run(project, suites, "base"), suites)
    assert not one.metrics["shop.scope.refusal_recall"].missing.size, "s3 calls for an answer"
    assert one.metrics["shop.scope.answer_rate"].missing.size == 1
