from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from harness.gate.compare import compare
from harness.gate.judge import gate
from harness.gate.rules.no_critical_failures import (
    NO_CRITICAL,
    NoCriticalFailures,
    critical_failures,
)
from harness.records.comparison import ComparisonRecord
from harness.records.rule import Policy
from tests.builders import make_run, shop, usual
from tests.gate.test_judge import NOW

RULE = NoCriticalFailures(require=NO_CRITICAL)
NOTHING = ComparisonRecord(None, None, {}, (), ())  # type: ignore[arg-type]


def base_against_itself(folder: Path) -> ComparisonRecord:
    project, suites = shop(folder)
    runs = (make_run(project, suites, "candidate", lambda _, ask: usual("base", ask)),
            make_run(project, suites, "base"))  # fmt: skip
    return compare(*runs, suites)


def test_without_critical_cases_there_is_nothing_to_judge_by() -> None:
    found = RULE.judge(NOTHING, 0.05)
    assert (found.outcome, found.metric) == ("invalid", None)
    assert found.reason == "the suites mark no case as critical"


def test_a_critical_case_that_the_baseline_fails_too_is_a_failure(tmp_path: Path) -> None:
    found = base_against_itself(tmp_path)
    assert [case.change for case in found.cases if case.critical] == ["still_failing"]
    result = RULE.judge(found, 0.05)
    assert result.outcome == "fail"
    assert result.reason == f"1 of 1 critical case failed: {critical_failures(found)[0]}"


def test_a_right_answer_that_retries_have_chosen_is_no_evidence(tmp_path: Path) -> None:
    found = base_against_itself(tmp_path)
    (failing,) = (case for case in found.cases if case.critical)
    right = failing.candidate_score.model_copy(update={"passed": True})
    case = replace(failing, candidate_score=right)
    assert RULE.judge(replace(found, cases=(case,)), 0.05).outcome == "pass"
    chosen = replace(case, change="not_comparable", excluded=True)
    result = RULE.judge(replace(found, cases=(chosen,)), 0.05)
    assert result.outcome == "invalid"
    assert result.reason == (
        f"critical cases without a score of the candidate's answer: {case.path}"
    )


def test_a_verdict_names_the_critical_cases_that_still_fail(tmp_path: Path) -> None:
    policy = Policy(baseline="base", rules=(RULE,))
    verdict = gate(base_against_itself(tmp_path), policy, NOW)
    assert verdict.new_critical_failures == ()
    assert verdict.still_critical == verdict.critical_failures != ()
