"""Wear of suites and of a year's budget, from gates that are made by hand."""

from __future__ import annotations

from datetime import timedelta

import pytest

from harness.clock import iso
from harness.gate.wear import Wear, budget_words, wear
from harness.records.history import PastGate, Values
from harness.records.metric import SHARE, Metric
from tests.gate.test_looks import gate
from tests.report.history_fixtures import FIRST

NAME = "shop.gold.accuracy"


def scored(day: int, score: float, who: str, version: str = "v1") -> PastGate:
    values = {NAME: Values(candidate=score, baseline=0.5)}
    found = gate(day, f"{who}{day}", who=who)
    return found.model_copy(update={"suites": {"shop": version}, "metrics": values})


def test_looks_at_one_version_of_a_suite_are_counted_with_their_candidates() -> None:
    gates = [
        scored(0, 0.6, "a"), scored(0, 0.6, "a"), scored(1, 0.7, "a"), scored(2, 0.65, "b"),
        scored(3, 0.9, "c", version="v2"),
    ]  # fmt: skip
    baseline = gates[0].verdict.baseline
    found = wear(gates, "shop", "v1", baseline)
    assert found.words == f"looked at 3 times, at 2 candidates against `{baseline}`"
    assert found.scores == {NAME: [0.6, 0.7, 0.65]}
    assert wear(gates, "shop", "v1", "another").looks == 0
    assert wear(gates[:3], "shop", "v1", baseline, now=gates[3]).looks == 2
    again = scored(2, 0.65, "b")
    assert wear(gates, "shop", "v1", baseline, now=again).looks == 2, "judged once more"


@pytest.mark.parametrize(
    ("direction", "words"), [("higher", "1 new best"), ("lower", "2 new bests")]
)
def test_new_bests_are_counted_in_the_direction_of_the_metric(direction: str, words: str) -> None:
    metric = Metric.model_validate({"name": "share", "direction": direction})
    found = Wear("base", 4, frozenset("ab"), {NAME: [0.6, 0.5, 0.7, 0.4]})
    assert words in found.gap_words({NAME: (metric, [1] * 50)})


def test_what_is_no_mean_of_shares_has_no_bound() -> None:
    found = Wear("base", 2, frozenset("a"), {NAME: [0.6, 0.7]})
    for metric in (Metric(name="f1"), Metric(name="words", unit="words", high=None)):
        assert found.gap_words({NAME: (metric, [1] * 50)}) == ""
    sizes = {NAME: (SHARE, [1] * 50)}
    assert found.gap_words(sizes).endswith("for up to 0.23 of gold.accuracy (1 new best)")
    once = Wear("base", 1, frozenset("a"), {NAME: [0.6]})
    assert once.gap_words(sizes) == "", "no score could tell anything yet"


def test_a_budget_is_spent_by_the_looks_of_a_year() -> None:
    gates = [scored(day, 0.5, str(day)) for day in (0, 100, 100, 300)]
    alpha = gates[0].verdict.alpha
    before, after = iso(FIRST + timedelta(days=301)), iso(FIRST + timedelta(days=400))
    spent = f"3 looks in 365 days may have led to {3 * alpha:.3g} false promotions"
    assert (
        budget_words(gates, 1.0, before)
        == f"{spent}, of a budget of 1: {1 - 3 * alpha:.3g} is left"
    )
    assert budget_words(gates, 1.0, after).startswith("2 looks in 365 days")
    assert "it is overspent by" in budget_words(gates, alpha, before)
