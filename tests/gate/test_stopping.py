"""Where a gate ends that asks in looks, from runs of everything and of less."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.gate.compare import compare
from harness.gate.judge import Circumstances, gate, next_look
from harness.gate.stopping import LOOKS, cases_up_to, first_look, look_levels, look_of_cases, up_to
from harness.records.comparison import ComparisonRecord
from harness.records.plan import PlannedRequest
from harness.records.rule import Policy
from harness.records.verdict import Verdict, VerdictHashes
from harness.run.plan import Selection
from harness.sections.section_kinds import load_suites
from tests.builders import make_run, shop, usual
from tests.shop import write_lines

CASES = 200
HASHES = VerdictHashes(suites="", config="", candidate="", baseline="")
GOLD: dict[str, Any] = {
    "metric": "shop.gold.accuracy", "require": "no_worse_than_baseline", "margin": 0.1,
}  # fmt: skip
SCOPE: dict[str, Any] = {
    "metric": "shop.scope.accuracy", "require": "no_worse_than_baseline", "margin": 0.1,
}  # fmt: skip
CRITICAL: dict[str, Any] = {"require": "no_new_critical_failures"}


class Gate:
    """A project of 100 groups of two cases, and a candidate that loses what a test says."""

    def __init__(self, folder: Path) -> None:
        self.project, _ = shop(folder)
        write_lines(
            folder / "suites/shop/gold.jsonl",
            [
                {"id": f"g{at}", "group": f"pair {at // 2}", "prompt": f"What is fact {at}?",
                 "expect": {"answers": [f"value {at}"]}, "critical": at == CASES - 1}
                for at in range(CASES)
            ],
        )  # fmt: skip
        self.suites = load_suites(self.project)
        self.look_of = look_of_cases(self.suites, 0)

    def compared(
        self, lost: set[str], asked: dict[str, int] | None = None, looks: bool = True
    ) -> ComparisonRecord:
        """Both sides asked up to such looks, or everything; `lost` are cases of the candidate."""

        def answer(who: str, ask: PlannedRequest) -> str:
            if ask.section == "scope":
                return f"{usual('candidate', ask)} {who}"
            wrong = who == "candidate" and ask.case.id in lost
            return f"{who}: {'nothing' if wrong else 'value ' + ask.case.id[1:]}"

        part = Selection()
        if asked is not None:
            part = Selection(only=cases_up_to(self.suites, self.look_of, asked), look="1 of 5")
        runs = [
            make_run(self.project, self.suites, who, answer, selection=part)
            for who in ("candidate", "base")
        ]
        return compare(*runs, self.suites, looks=looks)

    def in_look(self, look: int, count: int) -> set[str]:
        """So many cases of gold that are judged at that look, critical ones left out."""
        found = [f"g{at}" for at in range(CASES - 1) if self.look_of[f"shop/gold/g{at}"] == look]
        return set(found[:count])


@pytest.fixture
def made(tmp_path: Path) -> Gate:
    return Gate(tmp_path)


def policy(*rules: dict[str, Any]) -> Policy:
    return Policy.model_validate({"baseline": "base", "sequential": True, "rules": list(rules)})


def judged(comparison: ComparisonRecord, *rules: dict[str, Any]) -> Verdict:
    return gate(comparison, policy(*rules), Circumstances("base", HASHES, "0", "now"))


def test_groups_are_whole_and_spread_over_all_looks(made: Gate) -> None:
    gold = {path: look for path, look in made.look_of.items() if "/gold/" in path}
    assert [list(gold.values()).count(look) for look in range(1, LOOKS + 1)] == [40] * LOOKS
    assert all(
        gold[f"shop/gold/g{at}"] == gold[f"shop/gold/g{at + 1}"] for at in range(0, CASES, 2)
    )
    assert look_of_cases(made.suites, 0) == made.look_of != look_of_cases(made.suites, 1)


def test_critical_cases_are_asked_at_once_and_judged_in_their_turn(made: Gate) -> None:
    asked = cases_up_to(made.suites, made.look_of, first_look(made.suites))
    critical = f"g{CASES - 1}"
    assert critical in asked["shop.gold"]
    own = made.look_of[f"shop/gold/{critical}"]
    assert own > 1, "take another critical case"
    comparison = made.compared(set(), first_look(made.suites))
    assert critical in {case.case for case in comparison.cases}
    assert critical not in {case.case for case in up_to(comparison, 1).cases}


def test_it_ends_where_nothing_is_left_to_decide(made: Gate) -> None:
    found = judged(made.compared(set()), GOLD, CRITICAL)
    assert found.verdict == "PROMOTE"
    assert found.ended is not None
    assert found.ended.why == "all decided"
    (gold, critical) = found.rules
    assert gold.look == found.ended.look < LOOKS
    assert gold.level == look_levels(0.05)[gold.look - 1]
    assert critical.look is None


def test_less_answers_give_the_same_verdict_and_say_what_was_not_asked(made: Gate) -> None:
    whole = judged(made.compared(set()), GOLD)
    assert whole.ended is not None
    asked = first_look(made.suites) | {"shop.gold": whole.ended.look}
    part = made.compared(set(), asked)
    found = judged(part, GOLD)
    assert (found.verdict, found.rules, found.problems) == (whole.verdict, whole.rules, ())
    assert found.ended is not None
    left = CASES - sum(case.section == "gold" for case in part.cases)
    assert left > 0
    assert found.ended.not_asked["shop.gold"] == left
    assert f"{left} of shop.gold" in found.ended.words
    assert found.accounting.planned == found.accounting.scored == len(part.cases)
    assert next_look(part, policy(GOLD)) is None


def test_what_a_look_lacks_is_asked_next_and_is_no_verdict(made: Gate) -> None:
    comparison = made.compared(set(), first_look(made.suites))
    assert next_look(comparison, policy(GOLD)) == {"shop.gold": 2, "shop.scope": 1}
    found = judged(comparison, GOLD)
    assert found.verdict == "INVALID"
    assert "the gate is not at its end" in found.problems[0]


def test_a_section_goes_on_alone(made: Gate) -> None:
    lost = made.in_look(1, 4)
    wanted = next_look(made.compared(lost, {"shop.gold": 2, "shop.scope": 2}), policy(GOLD, SCOPE))
    assert wanted == {"shop.gold": 3, "shop.scope": 3}
    lax = policy(GOLD, SCOPE | {"margin": 0.7})
    wanted = next_look(made.compared(lost, {"shop.gold": 2, "shop.scope": 2}), lax)
    assert wanted == {"shop.gold": 3, "shop.scope": 1}


def test_a_large_loss_ends_it_early(made: Gate) -> None:
    lost = {f"g{at}" for at in range(CASES - 1)}
    found = judged(made.compared(lost), GOLD, SCOPE)
    assert found.verdict == "BLOCK"
    assert found.ended is not None
    assert (found.ended.look, found.ended.why) == (1, "a rule fails")
    assert [rule.outcome for rule in found.rules] == ["fail", "inconclusive"]
    assert found.rules[1].reason.startswith("not decided when the gate ended: ")


def test_a_critical_failure_ends_it_at_the_first_look(made: Gate) -> None:
    asked = first_look(made.suites)
    found = judged(made.compared({f"g{CASES - 1}"}, asked), GOLD, CRITICAL)
    assert found.verdict == "BLOCK"
    assert found.ended is not None
    assert (found.ended.look, found.ended.why) == (1, "a critical case fails")


def test_what_alpha_does_not_bound_waits_for_all(made: Gate) -> None:
    rule = {
        "metric": "shop.gold.accuracy",
        "require": "at_least",
        "value": 0.8,
        "evidence": "point",
    }
    found = judged(made.compared(set()), rule)
    assert found.ended is not None
    assert (found.verdict, found.ended.look) == ("PROMOTE", LOOKS)


def test_answers_of_a_look_are_no_evidence_without_the_policy_s_word(made: Gate) -> None:
    comparison = made.compared(set(), first_look(made.suites), looks=False)
    assert "was asked only up to look 1 of 5, and `sequential` is off" in comparison.problems[0]


@pytest.mark.parametrize("margin", [0.01, 0.9])
def test_answers_that_do_not_end_are_judged_by_the_policy_s_own_rule(
    made: Gate, margin: float
) -> None:
    comparison = made.compared(set())
    cut = tuple(
        replace(
            case,
            candidate_attempt=case.candidate_attempt.model_copy(update={"finish_reason": "length"}),
        )
        for case in comparison.cases
    )
    rule = {"metric": "finishes", "require": "no_worse_than_baseline", "margin": margin}
    found = judged(replace(comparison, cases=cut), rule, GOLD)
    assert [one.metric for one in found.rules] == ["finishes", "shop.gold.accuracy"]
    assert found.verdict == ("BLOCK" if margin < 0.5 else "PROMOTE")
