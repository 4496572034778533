"""The list of regressions: what it names, and how seldom it names anything falsely."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy.stats import binom

from harness.gate import differences
from harness.gate.compare import compare
from harness.gate.differences import caps, losses, regressions, with_regressions
from harness.gate.judge import gate
from harness.records.comparison import ComparisonRecord, PairedMetric
from harness.records.metric import Metric
from harness.records.rule import Policy
from tests.builders import make_run, shop, usual
from tests.gate.simulated import remembered
from tests.gate.test_judge import NOW

ALPHA = 0.05
SIMULATIONS = 300
MOST = int(binom.isf(1e-4, SIMULATIONS, ALPHA))  # what chance brings 1 time in 10,000
METRICS, CASES = 12, 40

Right = npt.NDArray[np.bool_]


def metric(name: str, ours: Right, theirs: Right, groups: int = 0) -> PairedMetric:
    one = np.ones(ours.size)
    labels = np.arange(ours.size) % (groups or ours.size)
    return PairedMetric(
        name, ours.astype(float), one, theirs.astype(float), one, labels.astype(np.str_)
    )


def compared(*metrics: PairedMetric) -> ComparisonRecord:
    by_name = {each.name: each for each in metrics}
    return ComparisonRecord(None, None, by_name, (), ())  # type: ignore[arg-type]


def unchanged(random: np.random.Generator) -> list[PairedMetric]:
    """Metrics of two models that are equally good and fail on different cases."""
    return [
        metric(f"s.m{place}", random.random(CASES) < 0.7, random.random(CASES) < 0.7)
        for place in range(METRICS)
    ]


def named(comparison: ComparisonRecord) -> list[str]:
    return [each.metric for each in regressions(losses(comparison, ALPHA), ALPHA)]


def test_without_a_change_seldom_anything_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(differences, "difference", remembered())
    random = np.random.default_rng(1)
    any_named = any_uncorrected = 0
    for place in range(SIMULATIONS):
        comparison = compared(*unchanged(random))
        any_named += bool(named(comparison))
        if place < 60:
            alone = (compared(each) for each in comparison.metrics.values())
            any_uncorrected += any(named(each) for each in alone)
    assert any_named <= MOST
    assert any_uncorrected > 12, "looking at each metric alone would name one in most comparisons"


def test_a_loss_of_fifteen_points_is_named_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(differences, "difference", remembered())
    random = np.random.default_rng(2)
    found = []
    for _ in range(40):
        theirs = random.random(300) < 0.8
        ours = theirs & (random.random(300) > 0.15 / 0.8)
        found.append(named(compared(*unchanged(random), metric("s.lost", ours, theirs))))
    assert sum("s.lost" in names for names in found) >= 39
    assert sum(names != ["s.lost"] for names in found) <= 8


def test_the_most_certain_comes_first_with_its_own_interval() -> None:
    theirs = np.ones(100, dtype=bool)
    some, many = np.arange(100) >= 15, np.arange(100) >= 40
    tested = losses(compared(metric("s.some", some, theirs), metric("s.many", many, theirs)), ALPHA)
    assert [each.metric for each in tested] == ["s.some", "s.many"]
    first, second = regressions(tested, ALPHA)
    assert (first.metric, second.metric) == ("s.many", "s.some")
    assert first.p_value < second.p_value
    assert second.estimate == pytest.approx(-0.15)
    assert second.ci_low < -0.15 < second.ci_high < 0.0
    assert (second.n, second.groups) == (100, 100)


def test_a_gain_is_no_regression_and_counts_among_the_metrics() -> None:
    theirs = np.arange(100) >= 40
    better = metric("s.better", np.ones(100, dtype=bool), theirs)
    (tested,) = losses(compared(better), ALPHA)
    assert tested.p_value == 1.0
    assert regressions([tested], ALPHA) == ()


def test_a_metric_that_cannot_be_computed_is_left_out_and_not_counted() -> None:
    theirs = np.ones(100, dtype=bool)
    lost = np.arange(100) >= 6
    alone = losses(compared(metric("s.lost", lost, theirs)), ALPHA)
    one_group = [metric(f"s.x{place}", lost, theirs, groups=1) for place in range(9)]
    assert losses(compared(*one_group, metric("s.lost", lost, theirs)), ALPHA) == alone
    assert losses(compared(*one_group), ALPHA) == ()


BETTER = {"metric": "shop.gold.accuracy", "require": "better_than_baseline"}


def judged(tmp_path: Path, answering: Any) -> Any:
    project, suites = shop(tmp_path)
    comparison = compare(
        make_run(project, suites, "candidate", answering), make_run(project, suites, "base"), suites
    )
    policy = Policy.model_validate({"baseline": "base", "rules": [BETTER]})
    return with_regressions(gate(comparison, policy, NOW), comparison), comparison


def never_answers(target: str, ask: Any) -> str:
    refused = "Sorry, I can't help with that."
    return usual(target, ask) if ask.section == "gold" or target == "base" else refused


def test_the_verdict_names_what_no_rule_asks_about_and_is_not_changed_by_it(
    tmp_path: Path,
) -> None:
    good, _ = judged(tmp_path / "good", usual)
    bad, comparison = judged(tmp_path / "bad", never_answers)
    assert good.verdict == bad.verdict == "PROMOTE"
    assert good.regressions == ()
    assert "shop.scope.answer_rate" in [each.metric for each in bad.regressions]
    assert "shop.gold.accuracy" not in [each.metric for each in bad.regressions]
    assert good.metrics_compared == bad.metrics_compared == len(comparison.metrics)


NATS = Metric(name="m", unit="nats/token", direction="lower", high=None)


def test_where_lower_is_better_a_rise_is_the_regression() -> None:
    low, high = (np.linspace(start, start + 0.5, CASES) for start in (2.0, 3.0))
    one, groups = np.ones(CASES), np.arange(CASES).astype(np.str_)
    risen = PairedMetric("s.x.m", high, one, low, one, groups, metric=NATS)
    fallen = PairedMetric("s.x.n", low, one, high, one, groups, metric=NATS)
    comparison = compared(risen, fallen)
    assert losses(comparison, ALPHA) == (), "without bounds and without a cap nothing can be said"
    tested = losses(comparison, ALPHA, {"s.x.m": 5.0, "s.x.n": 5.0})
    (found,) = regressions(tested, ALPHA)
    assert (found.metric, found.definition) == ("s.x.m", NATS)
    assert found.estimate == pytest.approx(1.0)


def test_of_several_caps_the_least_holds() -> None:
    given = (("a", 3.0), ("a", 2.0), ("b", None), (None, 1.0), ("c", 4.0))
    assert caps(given) == {"a": 2.0, "c": 4.0}
