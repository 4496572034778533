from __future__ import annotations

import itertools
from typing import Any, get_args

import pytest
from pydantic import ValidationError

from harness.records.summary import Accounting
from harness.records.verdict import (
    EXIT_CODES,
    Decision,
    Outcome,
    RuleResult,
    Verdict,
    VerdictHashes,
    decide,
)

NUMBERS = Accounting(planned=1, scored=1, unscored=0, failed=0)


def verdict(**changes: Any) -> Verdict:
    return Verdict(**{
        "verdict": "PROMOTE", "candidate": "c", "baseline": "b", "alpha": 0.05,
        "rules": (RuleResult(require="at_least", outcome="pass", reason="fine"),),
        "accounting": NUMBERS, "baseline_accounting": NUMBERS,
        "hashes": VerdictHashes(suites="s", config="c", candidate="a", baseline="b"),
        "candidate_run": "c-1", "baseline_run": "b-1", "harness_version": "1", "created": "now",
        **changes,
    })  # fmt: skip


def test_every_decision_has_an_exit_code_of_its_own() -> None:
    assert set(EXIT_CODES) == set(get_args(Decision))
    assert len(set(EXIT_CODES.values())) == 4
    assert {name for name, code in EXIT_CODES.items() if code == 0} == {"PROMOTE"}


def test_only_rules_that_all_pass_promote() -> None:
    for outcomes in itertools.product(get_args(Outcome), repeat=3):
        promoted = decide((), outcomes) == "PROMOTE"
        assert promoted == (set(outcomes) == {"pass"})
        assert decide(("broken",), outcomes) == "INVALID"
    assert decide((), ()) == "INVALID"


@pytest.mark.parametrize(
    "changes",
    [
        {"verdict": "BLOCK"},
        {"problems": ("broken",)},
        {"rules": (RuleResult(require="at_least", outcome="fail", reason="bad"),)},
        {"new_critical_failures": ("s/g/c",)},
    ],
)
def test_a_verdict_that_its_own_content_contradicts_is_refused(changes: dict[str, Any]) -> None:
    verdict()
    with pytest.raises(ValidationError):
        verdict(**changes)


def test_a_verdict_in_other_words_is_the_same_and_one_with_other_numbers_is_not() -> None:
    def ruled(**changes: Any) -> tuple[RuleResult, ...]:
        rule = RuleResult(require="at_least", outcome="pass", reason="fine", estimate=0.5)
        return (rule.model_copy(update=changes),)

    invalid: dict[str, Any] = {"verdict": "INVALID", "problems": ("broken",)}
    assert verdict(rules=ruled()).contradictions(verdict(rules=ruled(reason="good"))) == ()
    assert verdict(**invalid).contradictions(verdict(**invalid | {"problems": ("torn",)})) == ()
    assert verdict(rules=ruled()).contradictions(verdict(rules=ruled(estimate=0.6))) == ("rules",)
    assert verdict(**invalid).contradictions(verdict()) == ("verdict", "problems")


def test_noise_leaves_the_problems_of_a_verdict_as_they_are() -> None:
    rule = RuleResult(metric="s.g.f1", require="at_least", outcome="invalid", reason="why")
    invalid = verdict(verdict="INVALID", problems=("broken",), rules=(rule,))
    beside = invalid.with_noise({"s.g.f1": 0.1})
    assert beside.problems == ("broken",)
    assert [(one.noise, one.reason) for one in beside.rules] == [(0.1, "why")]
