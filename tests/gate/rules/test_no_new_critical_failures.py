from __future__ import annotations

from harness.gate.rules.no_new_critical_failures import CRITICAL, NoNewCriticalFailures
from harness.records.comparison import ComparisonRecord
from harness.records.rule import kind_of

RULE = NoNewCriticalFailures(require=CRITICAL)
NOTHING = ComparisonRecord(None, None, {}, (), ())  # type: ignore[arg-type]


def test_without_critical_cases_there_is_nothing_to_judge_by() -> None:
    found = RULE.judge(NOTHING, 0.05)
    assert (found.outcome, found.metric) == ("invalid", None)
    assert found.reason == "the suites mark no case as critical"


def test_it_concerns_every_suite_and_passes_by_luck_without_bound() -> None:
    found = RULE.judge(NOTHING, 0.05)
    assert kind_of(found) is NoNewCriticalFailures
    assert kind_of(found).suite_of(None) is None
    assert (RULE.title, RULE.bounded_by_alpha) == ("`no_new_critical_failures`", False)
