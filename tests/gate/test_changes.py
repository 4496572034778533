"""What was changed between two gates, from runs that are made without a server."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.config import Project, load_project
from harness.gate.changes import MOST, Earlier, change_warnings, earlier_versions
from harness.records.history import PastGate, Promotion
from harness.records.run import RunRecord
from harness.run.plan import Selection
from harness.sections.section_kinds import load_suites
from tests.builders import make_run, shop
from tests.report.history_fixtures import kept, verdict

RULE = {"metric": "shop.gold.accuracy", "require": "no_worse_than_baseline", "margin": 0.02}
POLICY: dict[str, Any] = {"baseline": "base", "alpha": 0.05, "rules": [RULE]}
SINCE = "since the gate of 2026-03-02T09:30:00Z (PROMOTE)"


def gate(version: str = "one", policy: dict[str, Any] | None = POLICY, **more: Any) -> PastGate:
    update = {"suites": {"shop": version}, "policy": policy}
    return kept(verdict(**more)).model_copy(update=update)


def run(project: Project, **more: Any) -> RunRecord:
    return make_run(project, load_suites(project), "base", **more)


def edit(project: Project, change: Callable[[dict[str, Any]], dict[str, Any] | None]) -> None:
    for name in ("gold", "scope"):
        path = project.root / f"suites/shop/{name}.jsonl"
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        left = [row for row in map(change, rows) if row is not None]
        path.write_text("".join(json.dumps(row) + "\n" for row in left))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda case: None if case["id"] in ("g1", "g4", "s2") else case,
         "3 cases are gone (then 2 failed, 1 passed): gold/g1, scope/s2, gold/g4"),
        (lambda case: {**case, "critical": False},
         "1 case is no longer critical (then 1 failed): scope/s0"),
        (lambda case: {**case, "prompt": "What, pray, is fact 8?"} if case["id"] == "g8" else case,
         "1 case is asked in other words (then 1 passed): gold/g8"),
        (lambda case: {**case, "expect": {"answers": ["no idea"]}} if case["id"] == "g1" else case,
         "1 answer is judged differently (then 1 failed): gold/g1"),
        (lambda case: {**case, "tags": ["easy"]},
         "the suite was changed, but no case, critical mark, question or outcome of an answer,"),
    ],
)  # fmt: skip
def test_what_was_changed_in_a_suite_is_named_with_the_last_outcomes(
    tmp_path: Path, change: Callable[[dict[str, Any]], dict[str, Any] | None], told: str
) -> None:
    project, _ = shop(tmp_path)
    before = run(project)
    edit(project, change)
    (found,) = change_warnings([Earlier(gate(), before)], gate("two"), run(project))
    assert (found.code, found.place) == ("suite-changed", "shop")
    assert found.what == f"{told} {SINCE}"


def test_new_cases_and_lost_answers_are_told(tmp_path: Path) -> None:
    project, _ = shop(tmp_path)
    whole = run(project)
    edit(project, lambda case: None if case["id"] == "g1" else case)
    part = run(project)
    (found,) = change_warnings([Earlier(gate("two"), part)], gate(), whole)
    assert found.what == f"1 case is new: gold/g1 {SINCE}"
    (found,) = change_warnings([Earlier(gate("two"), None)], gate(), whole)
    assert "and the answers that would show how are gone" in found.what
    small = run(project, selection=Selection(limit=1))
    assert not list(change_warnings([Earlier(gate("two"), small)], gate(), whole))


def test_a_whole_suite_is_told_once_with_the_rules_on_it(tmp_path: Path) -> None:
    project, _ = shop(tmp_path)
    answers = run(project)
    other = gate(policy={**POLICY, "rules": [{**RULE, "metric": "desk.gold.accuracy"}]})
    other = other.model_copy(update={"suites": {"desk": "one"}})
    new, gone = change_warnings([Earlier(gate(), answers)], other, replace(answers, scores=[]))
    assert (new.place, gone.place) == ("desk", "shop")
    assert gone.what.startswith("the whole suite is gone (then ")
    assert new.what == f"the suite is new {SINCE}"


def test_tests_without_results_are_not_called_gone(tmp_path: Path) -> None:
    project, _ = shop(tmp_path)
    whole = run(project)
    kept = [score for score in whole.scores if score.section != "gold"]
    untold = replace(whole, scores=kept, unrecorded={("shop", "gold"): "never run"})
    (found,) = change_warnings([Earlier(gate(), whole)], gate("two"), untold)
    assert found.what.startswith("the suite was changed, but no case")


@pytest.mark.parametrize(
    ("after", "told"),
    [
        ({**POLICY, "rules": [{**RULE, "margin": 0.2}]},
         "rule shop.gold.accuracy no_worse_than_baseline: margin was 0.02 and is 0.2"),
        ({**POLICY, "alpha": 0.4}, "alpha was 0.05 and is 0.4"),
        ({**POLICY, "finishes": False}, "finishes was the default and is False"),
        ({**POLICY, "rules": []}, "rule shop.gold.accuracy no_worse_than_baseline is gone"),
        ({**POLICY, "rules": [RULE, RULE]},
         "rule shop.gold.accuracy no_worse_than_baseline #2 is new"),
    ],
)  # fmt: skip
def test_what_was_changed_in_the_policy_is_named(
    tmp_path: Path, after: dict[str, Any], told: str
) -> None:
    now = run(load_project(shop(tmp_path)[0].root / "harness.yaml"))
    (found,) = change_warnings([Earlier(gate(), now)], gate(policy=after), now)
    assert (found.code, found.what) == ("policy-changed", f"{told} {SINCE}")


def test_a_gate_is_held_against_each_other_version_since_the_last_promotion() -> None:
    sealed = Promotion(name="v1", sealed="2026-03-01T00:00:00Z")
    gates = [
        gate("zero"),
        gate("zero").model_copy(update={"promotion": sealed}),
        gate("one"),
        gate("two"),
        gate("two", candidate="other"),
        gate("one", problems=("broken",)),
        gate("old", policy=None),
        gate("three"),
    ]
    found = earlier_versions(gates, gate("three"))
    assert [each.suites["shop"] for each in found] == ["one", "two"]
    assert found[0].verdict.verdict == "INVALID", "the last on a version"
    many = [gate(str(number)) for number in range(MOST + 5)]
    assert len(earlier_versions(many, gate("x"))) == MOST
