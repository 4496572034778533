"""`weigh: groups`: each group counts once, whatever the number of its cases."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.config import load_project
from harness.errors import ConfigError
from harness.files import digest_json
from harness.gate.compare import compare
from harness.gate.judge import check_policy, gate, planned_power, power
from harness.records.attempt import Failure
from harness.records.comparison import ComparisonRecord, Weigh
from harness.records.rule import Policy
from harness.sections.section_kinds import load_suites
from tests.builders import make_run, shop, usual
from tests.gate.test_judge import NOW
from tests.shop import config, gold_cases, suite_yaml, write_lines

ACCURACY = "shop.gold.accuracy"
RULE = {"metric": ACCURACY, "require": "no_worse_than_baseline", "margin": 0.2}


def policy(**more: Any) -> Policy:
    return Policy.model_validate({"baseline": "base", "rules": [RULE], **more})


def compared(folder: Path, group_of: Any, weigh: Weigh, answering: Any = usual) -> ComparisonRecord:
    """A gold section alone, its cases in the groups that `group_of` gives."""
    suite = folder / "suites/shop"
    suite.mkdir(parents=True)
    written = suite_yaml()
    del written["sections"]["scope"]
    (suite / "suite.yaml").write_text(yaml.safe_dump(written, sort_keys=False))
    cases = [{**case, "group": group_of(at)} for at, case in enumerate(gold_cases())]
    write_lines(suite / "gold.jsonl", cases)
    (folder / "harness.yaml").write_text(
        yaml.safe_dump({**config("http://127.0.0.1:1"), "gate": None})
    )
    project = load_project(folder / "harness.yaml")
    suites = load_suites(project)
    runs = [make_run(project, suites, name, answering) for name in ("candidate", "base")]
    return compare(*runs, suites, weigh=weigh)


def by_fours(at: int) -> str:
    """The first four cases are groups of their own, the others of four each."""
    return f"g{at}" if at < 4 else f"f{at // 4}"


def test_the_value_is_the_mean_of_the_groups(tmp_path: Path) -> None:
    found = compared(tmp_path, by_fours, "groups")
    metric = found.metrics[ACCURACY]
    # The base knows every fourth fact: of the groups of one it has one in four, of the others
    # a quarter each.
    assert (metric.groups.size, metric.n, metric.is_mean) == (13, 40, True)
    assert sorted(metric.baseline_num) == [0.0] * 3 + [0.25] * 9 + [1.0]
    assert metric.baseline_value == pytest.approx((1 + 9 * 0.25) / 13)
    verdict = gate(found, policy(weigh="groups"), NOW)
    rule = verdict.rules[0]
    assert (rule.outcome, rule.n, rule.groups) == ("pass", 40, 13)
    assert rule.reason.endswith("; each group counts once")


def test_groups_of_one_are_the_same_either_way(tmp_path: Path) -> None:
    alone = str
    first = compared(tmp_path / "a", alone, "cases")
    second = compared(tmp_path / "b", alone, "groups")
    ours, theirs = (gate(one, policy(), NOW).rules[0] for one in (first, second))
    same = ("outcome", "estimate", "n", "groups")
    assert [getattr(ours, name) for name in same] == [getattr(theirs, name) for name in same]
    assert theirs.ci_low == pytest.approx(ours.ci_low)
    assert theirs.ci_high == pytest.approx(ours.ci_high)


def test_one_large_group_does_not_rule_the_bound(tmp_path: Path) -> None:
    """As cases, an unseen group as large as the largest could lose as many."""

    def large(at: int) -> str:
        return "large" if at < 12 else str(at)

    def same(target: str, ask: Any) -> str:
        return f"It is value {ask.case.id[1:]}, says {target}."

    by_cases = compared(tmp_path / "a", large, "cases", same)
    by_groups = compared(tmp_path / "b", large, "groups", same)
    first, second = (gate(one, policy(), NOW).rules[0].ci_low for one in (by_cases, by_groups))
    assert first is not None
    assert first < -0.4
    assert second == pytest.approx(-(1 - 0.05 ** (1 / 29)))


def test_a_group_of_which_a_case_has_no_score_has_none(tmp_path: Path) -> None:
    def failing(target: str, ask: Any) -> str | Failure:
        if target == "candidate" and ask.case.id == "g5":
            return Failure(cause="timeout", detail="slow")
        return usual(target, ask)

    found = compared(tmp_path, by_fours, "groups", failing)
    metric = found.metrics[ACCURACY]
    assert (metric.groups.size, list(metric.missing)) == (12, ["f1"])
    rule = gate(found, policy(weigh="groups", min_scored=0.5), NOW).rules[0]
    assert "1 group with a case without a score: lost in the lower bound" in rule.reason


def test_every_group_with_a_case_without_a_score_leaves_no_evidence(tmp_path: Path) -> None:
    def failing(target: str, ask: Any) -> str | Failure:
        if target == "candidate" and int(ask.case.id[1:]) % 4 == 0:
            return Failure(cause="timeout", detail="slow")
        return usual(target, ask)

    found = compared(tmp_path, lambda at: f"f{at // 4}", "groups", failing)
    assert ACCURACY not in found.metrics
    rule = gate(found, policy(weigh="groups", min_scored=0.5), NOW).rules[0]
    assert rule.outcome == "invalid"


def test_power_counts_groups_of_one_size(tmp_path: Path) -> None:
    found = compared(tmp_path, by_fours, "groups")
    (seen,) = power(found, policy(weigh="groups"))
    assert (seen.cases, seen.groups) == (40, 13)
    project = load_project(tmp_path / "harness.yaml")
    suites = load_suites(project)
    (by_cases,) = planned_power(suites, policy(), 0.1)
    (by_groups,) = planned_power(suites, policy(weigh="groups"), 0.1)
    assert by_groups.groups == by_cases.groups == 13
    assert by_groups.detectable is not None
    assert by_cases.detectable is not None
    assert by_groups.detectable < by_cases.detectable


def test_a_policy_without_the_key_is_what_it_was() -> None:
    plain = policy().model_dump(mode="json")
    assert "weigh" not in plain
    assert digest_json(plain) == digest_json(policy(weigh="cases").model_dump(mode="json"))
    assert policy(weigh="groups").model_dump(mode="json")["weigh"] == "groups"


def test_labels_of_people_are_weighed_by_cases(tmp_path: Path) -> None:
    project, suites = shop(tmp_path)
    audited = policy(weigh="groups", rules=[{**RULE, "evidence": "audited"}])
    with pytest.raises(ConfigError, match=r"rules\[0\]\.evidence: people's labels are weighed"):
        check_policy(audited, suites, project.place)


def test_f1_is_that_of_the_groups_terms(tmp_path: Path) -> None:
    project, suites = shop(tmp_path)
    runs = [make_run(project, suites, name) for name in ("candidate", "base")]
    by_cases, by_groups = (
        compare(*runs, suites, weigh=weigh).metrics["shop.scope.f1"]
        for weigh in ("cases", "groups")
    )
    assert by_groups.candidate_value == by_cases.candidate_value
    assert by_groups.baseline_value == by_cases.baseline_value
