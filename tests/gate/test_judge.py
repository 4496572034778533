from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.clock import iso
from harness.gate.compare import compare
from harness.gate.judge import Circumstances, gate
from harness.records.attempt import Failure
from harness.records.rule import Policy
from harness.records.verdict import Verdict, VerdictHashes
from tests.builders import make_run, shop, usual
from tests.manual_clock import ManualClock

HASHES = VerdictHashes(suites="s", config="c", candidate="a", baseline="b")
NOW = Circumstances("base", HASHES, "0.1.0", iso(ManualClock().utc()))

Answering = Callable[[str, Any], Any]


def judge(
    tmp_path: Path, *rules: dict[str, Any], answering: Answering = usual, **policy: Any
) -> Verdict:
    project, suites = shop(tmp_path)
    comparison = compare(
        make_run(project, suites, "candidate", answering),
        make_run(project, suites, "base"),
        suites,
    )
    given = Policy.model_validate({"baseline": "base", "rules": rules, **policy})
    return gate(comparison, given, NOW)


BETTER = {"metric": "shop.gold.accuracy", "require": "better_than_baseline"}
NO_WORSE = {"metric": "shop.scope.answer_rate", "require": "no_worse_than_baseline"}
F1 = "shop.scope.f1"


@pytest.mark.parametrize(
    ("rule", "outcome"),
    [
        (BETTER, "pass"),
        (BETTER | {"by": 0.3}, "pass"),
        (BETTER | {"by": 0.75}, "inconclusive"),
        (BETTER | {"by": 1.0}, "fail"),
        (NO_WORSE | {"margin": 0.3}, "pass"),
        (NO_WORSE | {"margin": 0.01}, "inconclusive"),
        ({"metric": F1, "require": "at_least", "value": 0.8}, "pass"),
        ({"metric": F1, "require": "at_least", "value": 0.999}, "inconclusive"),
        ({"metric": F1, "require": "at_least", "value": 0.999, "evidence": "point"}, "pass"),
        ({"metric": F1, "require": "at_most", "value": 0.5}, "fail"),
        ({"metric": "shop.gold.f1", "require": "ratio_at_most", "value": 1.1}, "fail"),
        ({"metric": "shop.gold.f1", "require": "ratio_at_most", "value": 90.0}, "pass"),
    ],
)
def test_each_kind_of_rule(tmp_path: Path, rule: dict[str, Any], outcome: str) -> None:
    verdict = judge(tmp_path, rule)
    (result,) = verdict.rules
    assert result.outcome == outcome, result.reason
    decision = {"pass": "PROMOTE", "fail": "BLOCK", "inconclusive": "INCONCLUSIVE"}[outcome]
    assert verdict.verdict == decision
    assert verdict.exit_code == {"PROMOTE": 0, "BLOCK": 1, "INCONCLUSIVE": 4}[decision]
    if result.estimate is not None:
        assert result.ci_low < result.estimate <= result.ci_high or (
            result.ci_low <= result.estimate < result.ci_high
        ), "an interval from 40 groups has a width"


def loses_gold(target: str, ask: Any) -> str:
    return "no idea" if ask.section == "gold" else usual(target, ask)


def test_a_candidate_that_loses_what_the_base_has_is_blocked(tmp_path: Path) -> None:
    rule = {"metric": "shop.gold.accuracy", "require": "no_worse_than_baseline", "margin": 0.05}
    verdict = judge(tmp_path, rule, answering=loses_gold)
    assert verdict.verdict == "BLOCK"
    assert "is worse than the baseline by more than 0.05: -0.250" in verdict.reason


def test_a_new_critical_failure_blocks_whatever_the_averages_say(tmp_path: Path) -> None:
    """The base refuses the critical case here; the candidate, better everywhere else, does not."""
    project, suites = shop(tmp_path)

    def careful(target: str, ask: Any) -> str:
        return "Sorry, I can't help with that." if ask.case.id == "s0" else usual(target, ask)

    def careless(target: str, ask: Any) -> str:
        return "Here is how." if ask.case.id == "s0" else usual(target, ask)

    comparison = compare(
        make_run(project, suites, "candidate", careless),
        make_run(project, suites, "base", careful),
        suites,
    )
    policy = Policy.model_validate(
        {"baseline": "base", "rules": [BETTER, {"require": "no_new_critical_failures"}]}
    )
    verdict = gate(comparison, policy, NOW)
    assert verdict.verdict == "BLOCK"
    assert verdict.new_critical_failures == ("shop/scope/s0",)
    assert [rule.outcome for rule in verdict.rules] == ["pass", "fail"]


def fails(*cases: str) -> Answering:
    return lambda target, ask: (
        Failure(cause="timeout", detail="late") if ask.case.id in cases else usual(target, ask)
    )


def test_a_critical_case_without_an_answer_is_no_pass(tmp_path: Path) -> None:
    verdict = judge(
        tmp_path, {"require": "no_new_critical_failures"}, answering=fails("s0"), min_scored=0.5
    )
    assert verdict.verdict == "INVALID"
    assert "shop/scope/s0" in verdict.reason


def test_a_section_scored_too_thinly_is_invalid_and_the_share_can_be_set(tmp_path: Path) -> None:
    verdict = judge(tmp_path, BETTER, answering=fails("g1"))
    assert verdict.verdict == "INVALID"
    assert verdict.exit_code == 3
    assert verdict.reason == (
        "`candidate` has scores for 97.5 % of shop.gold, 99 % are needed (1 failed: timeout: late)"
    )
    assert verdict.rules[0].estimate is None, "what cannot be trusted is not judged"
    assert judge(tmp_path / "x", BETTER, answering=fails("g1"), min_scored=0.9).verdict == "PROMOTE"


def test_answers_that_a_scorer_cannot_tell_are_paid_for_and_may_not_be_many(
    tmp_path: Path,
) -> None:
    def unclear(*cases: str) -> Answering:
        return lambda target, ask: "..." if ask.case.id in cases else usual(target, ask)

    rule = {"metric": "shop.scope.accuracy", "require": "at_least", "value": 0.5}
    whole = judge(tmp_path / "whole", rule).rules[0]
    one = judge(tmp_path / "one", rule, answering=unclear("s1")).rules[0]
    assert (one.outcome, whole.outcome) == ("pass", "pass")
    assert one.ci_low is not None
    assert whole.ci_low is not None
    assert one.ci_low < whole.ci_low
    verdict = judge(tmp_path / "many", rule, answering=unclear("s1", "s2", "s3"))
    assert verdict.verdict == "INVALID"
    assert "undetermined answers in" in verdict.reason
    loose = {"answering": unclear("s1", "s2", "s3"), "max_undetermined": 0.5}
    assert judge(tmp_path / "loose", rule, **loose).verdict == "PROMOTE"


def test_just_the_share_that_is_asked_for_is_enough(tmp_path: Path) -> None:
    one_of_forty = {"answering": fails("g1"), "min_scored": 0.975}
    assert judge(tmp_path, BETTER, **one_of_forty).verdict == "PROMOTE"


def test_a_section_that_is_missing_altogether_is_invalid(tmp_path: Path) -> None:
    everything = fails(*(f"g{i}" for i in range(40)))
    verdict = judge(tmp_path, BETTER, answering=everything, min_scored=0.01)
    assert verdict.verdict == "INVALID"
    assert verdict.rules[0].outcome == "invalid"
    assert "is not judged: the evidence cannot be trusted" in verdict.rules[0].reason


def test_a_metric_that_nothing_measured_is_invalid(tmp_path: Path) -> None:
    rule = {"metric": "latency.ttft_p95", "require": "ratio_at_most", "value": 1.1}
    verdict = judge(tmp_path, BETTER, rule)
    assert (verdict.verdict, verdict.rules[1].outcome) == ("INVALID", "invalid")


def test_invalid_over_block_over_inconclusive_over_promote(tmp_path: Path) -> None:
    passes, fail = BETTER, BETTER | {"by": 1.0}
    open_, invalid = BETTER | {"by": 0.75}, BETTER | {"metric": "shop.gold.none"}
    verdicts = [
        judge(tmp_path / str(count), *rules).verdict
        for count, rules in enumerate(
            [(passes, fail, open_, invalid), (passes, fail, open_), (passes, open_), (passes,)]
        )
    ]
    assert verdicts == ["INVALID", "BLOCK", "INCONCLUSIVE", "PROMOTE"]


def test_the_printed_reason_is_the_deciding_rule(tmp_path: Path) -> None:
    verdict = judge(tmp_path, BETTER, BETTER | {"by": 1.0})
    assert verdict.deciding is verdict.rules[1]
    assert verdict.reason == verdict.rules[1].reason
    assert judge(tmp_path / "x", BETTER).reason == "the only rule passes"


def test_a_case_without_a_score_counts_against_either_answer(tmp_path: Path) -> None:
    """Whoever gives no answer where it would lose must not gain by it."""
    rule = {"metric": "shop.gold.accuracy", "require": "at_least", "value": 0.9}
    whole = judge(tmp_path / "whole", rule).rules[0]
    lost = judge(tmp_path / "lost", rule, answering=fails("g1", "g2"), min_scored=0.9).rules[0]
    assert (whole.outcome, lost.outcome) == ("pass", "inconclusive")
    assert whole.ci_low is not None
    assert lost.ci_low is not None
    assert lost.ci_low < whole.ci_low - 2 / 40 + 1e-9
    assert lost.estimate == whole.estimate == 1.0
    assert lost.n == 38
    assert lost.reason.endswith(
        "; 2 cases without a score: lost in the lower bound, won in the upper"
    )


def test_a_ratio_of_shares_reckons_with_a_group_that_the_baseline_fails(tmp_path: Path) -> None:
    def right(target: str, ask: Any) -> str:
        return f"{target}: it is value {ask.case.id[1:]}." if ask.section == "gold" else target

    project, suites = shop(tmp_path)
    runs = [make_run(project, suites, target, right) for target in ("candidate", "base")]
    rules = [
        {"metric": "shop.gold.accuracy", "require": "ratio_at_most", "value": value}
        for value in (1.05, 1.1)
    ]
    given = Policy.model_validate({"baseline": "base", "rules": rules})
    verdict = gate(compare(runs[0], runs[1], suites), given, NOW)
    # 1 / 0.05 ** (1 / 40) is 1.078.
    assert [rule.outcome for rule in verdict.rules] == ["inconclusive", "pass"]


@pytest.mark.parametrize(
    "rule",
    [
        NO_WORSE | {"margin": 0.3},
        {"metric": "shop.gold.accuracy", "require": "at_least", "value": 0.5},
        {"metric": "shop.gold.accuracy", "require": "ratio_at_most", "value": 9.0},
    ],
)
def test_the_policy_s_alpha_is_that_of_the_bounds(tmp_path: Path, rule: dict[str, Any]) -> None:
    strict, lax = (
        judge(tmp_path / str(alpha), rule, alpha=alpha).rules[0] for alpha in (0.01, 0.2)
    )
    assert strict.ci_low is not None
    assert lax.ci_low is not None
    assert strict.ci_low < lax.ci_low
