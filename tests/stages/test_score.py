from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.records.attempt import Failure
from harness.scorers import registry
from tests.stages.making import make_run, shop, usual


def test_planned_is_scored_and_unscored_and_failed(tmp_path: Path) -> None:
    project, suites = shop(tmp_path)

    def answering(target: str, ask: Any) -> str | Failure:
        special = {"g0": Failure(cause="timeout", detail="late"), "g1": "", "s0": "  \n"}
        return special.get(ask.case.id) or special.get(ask.case.id, usual(target, ask))

    run = make_run(project, suites, "candidate", answering)
    accounting = run.accounting()
    assert (accounting.planned, accounting.scored, accounting.unscored, accounting.failed) == (
        80, 77, 2, 1,
    )  # fmt: skip
    assert accounting.balanced
    assert run.states() == {"ok": 77, "empty": 2, "failed": 1}
    by_case = {score.case: score for score in run.scores}
    assert by_case["g0"].reason == "timeout: late"
    assert by_case["g1"].reason == "empty answer"
    assert all(score.value is None for score in run.scores if score.status != "scored")


def test_a_scorer_that_crashes_leaves_the_case_unscored_with_the_cause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, suites = shop(tmp_path)
    gold = registry.get("gold")

    class Broken:
        name, metrics = gold.name, gold.metrics

        def score(self, *_: object) -> None:
            raise ZeroDivisionError("oops")

    monkeypatch.setattr("harness.stages.score.get", lambda name: Broken())
    run = make_run(project, suites, "base")
    assert {score.status for score in run.scores} == {"unscored"}
    assert run.scores[0].reason == "scorer `gold` crashed: ZeroDivisionError: oops"


def test_only_the_metrics_that_the_section_names_are_kept(tmp_path: Path) -> None:
    project, suites = shop(tmp_path)
    run = make_run(project, suites, "candidate")
    assert set(run.metrics()) == set(suites[0].metrics())
    assert run.metrics()["shop.gold.accuracy"] == 1.0
    assert run.metrics()["shop.scope.f1"] == 1.0
