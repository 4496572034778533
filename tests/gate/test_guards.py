from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from harness.gate.compare import compare
from harness.gate.guards import guard_warnings
from harness.gate.judge import judge_rules
from harness.records.attempt import UNDETERMINED
from harness.records.comparison import ComparisonRecord, PairedCase
from harness.records.plan import PlannedRequest
from harness.records.rule import Policy
from harness.records.verdict import EvidenceWarning
from tests.builders import make_run, shop, usual


def warned(comparison: ComparisonRecord, *rules: dict[str, object]) -> list[EvidenceWarning]:
    policy = Policy.model_validate({"baseline": "base", "rules": rules, "finishes": False})
    return list(guard_warnings(comparison, policy, judge_rules(comparison, policy)))


def critical(case: PairedCase, place: int) -> PairedCase:
    lost = case.baseline_score.model_copy(update={"passed": place > 0})
    return replace(case, critical=True, baseline_score=lost, change="still_passing")


def test_a_baseline_that_fails_most_critical_cases_leaves_little_to_guard(tmp_path: Path) -> None:
    project, suites = shop(tmp_path)
    found = compare(*(make_run(project, suites, name) for name in ("candidate", "base")), suites)
    few = [replace(case, critical=False) for case in found.cases]
    for count, said in ((1, 0), (3, 0)):
        cases = [critical(case, place) for place, case in enumerate(few[:count])]
        marked = replace(found, cases=(*cases, *few[count:]))
        assert len(warned(marked, {"require": "no_new_critical_failures"})) == said
    most = [critical(case, place - 2) for place, case in enumerate(few[:4])]
    marked = replace(found, cases=(*most, *few[4:]))
    (one,) = warned(marked, {"require": "no_new_critical_failures"})
    assert one.what.startswith("the baseline fails 3 of 4 critical cases")
    assert len(one.cases) == 3
    assert warned(marked, {"require": "no_critical_failures"}) == []


def test_undetermined_answers_that_decide_a_rule_are_named(tmp_path: Path) -> None:
    project, suites = shop(tmp_path)

    def mute(_: str, ask: PlannedRequest) -> str:
        return usual("candidate", ask) if int(ask.case.id[1:]) % 4 else ""

    runs = [make_run(project, suites, "candidate", mute), make_run(project, suites, "base")]
    found = compare(runs[0], runs[1], suites)
    rule = {"metric": "shop.gold.accuracy", "require": "at_least", "value": 0.8}
    assert warned(found, rule) == [], "an empty answer is none that a scorer cannot tell"
    unclear = tuple(
        replace(
            case,
            candidate_score=case.candidate_score.model_copy(update={"label": UNDETERMINED}),
        )
        if case.candidate_score.status == "unscored"
        else case
        for case in found.cases
    )
    (one,) = warned(replace(found, cases=unclear), rule)
    assert (one.code, one.place) == ("undetermined-decide", "shop.gold.accuracy")
    assert "it is inconclusive, and passed without the cases" in one.what
    assert "undetermined answers decide this rule" in one.what
    lost = found.metrics["shop.gold.accuracy"].missing.size
    first = next(case.path for case in unclear if case.candidate_score.label == UNDETERMINED)
    mixed = tuple(
        case if case.path == first else plain
        for case, plain in zip(unclear, found.cases, strict=True)
    )
    (one,) = warned(replace(found, cases=mixed), rule)
    assert f"{lost} cases without a score, 1 of them undetermined, decide" in one.what
