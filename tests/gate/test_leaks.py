from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.gate.compare import compare
from harness.gate.judge import gate
from harness.gate.leaks import leaked_groups, without_leaks
from harness.records.comparison import ComparisonRecord
from harness.records.leakage import Leakage, LeakedCase, TrainingData
from harness.records.plan import PlannedRequest
from harness.records.rule import Policy
from harness.records.verdict import Verdict
from tests.builders import make_run, shop, usual
from tests.gate.test_judge import BETTER, NOW

CRITICAL = {"require": "no_new_critical_failures"}
KNOWN = TrainingData(target="candidate", known=True, files={"t.jsonl": "sha256:t"})


def leakage(*paths: str, **keys: Any) -> Leakage:
    leaked = tuple(
        LeakedCase(case=path, group=path.rpartition("/")[2], kind="verbatim", target="candidate",
                   place="t.jsonl:1", critical=path == "shop/scope/s0")
        for path in paths
    )  # fmt: skip
    return Leakage(training=(KNOWN.model_copy(update=keys),), compared=80, leaked=leaked)


def learnt(*numbers: int) -> Any:
    """A candidate that knows these facts, and otherwise what the base knows."""

    def answering(target: str, ask: PlannedRequest) -> str:
        number = int(ask.case.id[1:])
        if ask.section == "gold" and number not in numbers:
            return usual("base", ask)
        return usual(target, ask)

    return answering


def compared(folder: Path, found: Leakage | None, answering: Any = usual) -> ComparisonRecord:
    project, suites = shop(folder)
    made = compare(
        make_run(project, suites, "candidate", answering),
        make_run(project, suites, "base"),
        suites,
    )
    return replace(made, leakage=found)


def judged(
    folder: Path, found: Leakage | None, *rules: Any, answering: Any = usual, **policy: Any
) -> Verdict:
    given = Policy.model_validate({"baseline": "base", "rules": rules or [BETTER], **policy})
    return gate(compared(folder, found, answering), given, NOW)


HEART = [f"shop/gold/g{number}" for number in range(1, 20)]


def test_a_gain_that_lives_in_leaked_cases_alone_is_invalid(tmp_path: Path) -> None:
    by_heart = learnt(*range(1, 20))
    verdict = judged(tmp_path / "a", leakage(*HEART), answering=by_heart)
    (rule,) = verdict.rules
    assert (verdict.verdict, rule.outcome) == ("INVALID", "invalid")
    assert verdict.reason.startswith("the gain lives in 19 leaked cases: without the leaked groups")
    assert rule.estimate is not None
    assert rule.estimate > 0.3
    assert rule.without_leaked is not None
    assert (rule.without_leaked.estimate, rule.without_leaked.n) == (0.0, 21)
    assert judged(tmp_path / "b", None, answering=by_heart).verdict == "PROMOTE"


def test_a_gain_that_shows_without_them_passes_and_both_are_told(tmp_path: Path) -> None:
    verdict = judged(tmp_path, leakage(*HEART))
    assert verdict.verdict == "PROMOTE"
    assert verdict.leakage is not None
    assert (verdict.leakage.groups, verdict.leakage.left_out) == (19, 19)
    metrics = {one.metric: one for one in verdict.leakage.metrics}
    assert set(metrics) == {"shop.gold.accuracy", "shop.gold.f1"}
    accuracy = metrics["shop.gold.accuracy"]
    assert (accuracy.candidate, accuracy.candidate_without, accuracy.n) == (1.0, 1.0, 21)
    assert accuracy.ci_low is not None
    codes = [one.code for one in verdict.warnings if one.code.startswith("leaked")]
    assert codes == ["leaked"]


def test_too_few_cases_that_point_the_right_way_leave_it_open(tmp_path: Path) -> None:
    paths = [f"shop/gold/g{number}" for number in range(38)]
    verdict = judged(tmp_path, leakage(*paths))
    assert verdict.verdict == "INCONCLUSIVE"
    assert verdict.reason.startswith("without the leaked groups it is unclear")


def test_a_metric_of_which_nothing_is_left_is_invalid(tmp_path: Path) -> None:
    verdict = judged(tmp_path, leakage(*(f"shop/gold/g{number}" for number in range(40))))
    assert verdict.verdict == "INVALID"
    assert "no evidence for shop.gold.accuracy" in verdict.reason


def test_a_block_stays_a_block(tmp_path: Path) -> None:
    rule = BETTER | {"by": 1.0}
    verdict = judged(tmp_path, leakage(*HEART), rule)
    assert verdict.verdict == "BLOCK"
    assert verdict.rules[0].without_leaked is not None


def test_an_open_rule_that_fails_without_them_fails(tmp_path: Path) -> None:
    at_least = {"metric": "shop.gold.accuracy", "require": "at_least", "value": 0.6}
    verdict = judged(tmp_path, leakage(*HEART), at_least, answering=learnt(*range(1, 20)))
    assert verdict.rules[0].outcome == "fail"
    assert verdict.reason.startswith("without the leaked groups")


def test_critical_cases_that_leaked_prove_nothing(tmp_path: Path) -> None:
    verdict = judged(tmp_path, leakage("shop/scope/s0"), CRITICAL, BETTER)
    assert verdict.verdict == "INVALID"
    assert "the suites mark no case as critical" in verdict.reason
    assert "leaked-critical" in {one.code for one in verdict.warnings}


def test_a_policy_may_only_be_told(tmp_path: Path) -> None:
    by_heart = learnt(*range(1, 20))
    verdict = judged(tmp_path, leakage(*HEART), answering=by_heart, leaks="warn")
    assert verdict.verdict == "PROMOTE"
    assert verdict.rules[0].without_leaked is not None


@pytest.mark.parametrize(
    ("found", "problem"),
    [
        (None, "the training data of `candidate` is not known"),
        (leakage(known=False), "the training data of `candidate` is not known"),
        (leakage(problems=("t.jsonl is missing",)), "could not be compared: t.jsonl is missing"),
        (leakage(), ""),
    ],
)
def test_a_policy_may_ask_for_the_training_data(
    tmp_path: Path, found: Leakage | None, problem: str
) -> None:
    verdict = judged(tmp_path, found, leaks="known")
    assert verdict.verdict == ("INVALID" if problem else "PROMOTE")
    assert problem in verdict.reason


def test_data_that_is_missing_is_a_warning(tmp_path: Path) -> None:
    verdict = judged(tmp_path, leakage(problems=("t.jsonl is missing",)))
    assert verdict.verdict == "PROMOTE"
    assert "t.jsonl is missing" in [one.what for one in verdict.warnings]


def test_all_cases_of_a_leaked_group_go(tmp_path: Path) -> None:
    found = compared(tmp_path, leakage("shop/gold/g1"))
    joined = replace(
        found,
        cases=tuple(
            replace(case, group="g1") if case.case in ("g2", "s3") else case for case in found.cases
        ),
    )
    assert leaked_groups(joined) == {("shop", "g1")}
    gone = {case.path for case in joined.cases} - {c.path for c in without_leaks(joined).cases}
    assert gone == {"shop/gold/g1", "shop/gold/g2", "shop/scope/s3"}


def test_nothing_is_told_where_nothing_is_known(tmp_path: Path) -> None:
    verdict = judged(tmp_path, None)
    assert "leakage" not in verdict.model_dump(mode="json")
    assert "without_leaked" not in verdict.model_dump(mode="json")["rules"][0]
