"""The cheapest of equals: who it is, and how seldom it is called no worse where it is worse."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from scipy.stats import binom

from harness.gate.cheapest import Cheapest, Costs, PairDifference, cheapest_of
from harness.records.metric import SHARE, Metric
from harness.records.rule import Policy
from harness.stats import Interval, paired_difference

LOSS = Metric(name="nats", unit="nats", low=0.0, high=1.0, direction="lower")
MARGIN = 0.1


def policy(*rules: dict[str, Any]) -> Policy:
    usual = {"metric": "s.x.a", "require": "no_worse_than_baseline", "margin": MARGIN}
    return Policy.model_validate({"baseline": "base", "rules": rules or [usual]})


def pair(
    one: str, other: str, low: float, high: float, definition: Metric = SHARE, metric: str = "s.x.a"
) -> PairDifference:
    found = Interval((low + high) / 2, low, high, 0.5, 100, 50)
    return PairDifference((one, other), metric, definition, found)


def found(
    tested: Sequence[PairDifference], costs: Costs, *rules: dict[str, Any]
) -> Cheapest | None:
    return cheapest_of(list(costs), costs, tested, policy(*rules))


@pytest.mark.parametrize("costs", [{"a": 1.0, "b": None}, {"a": 1.0, "b": 1.0}])
def test_nobody_is_the_cheapest_of_unknown_or_equal_costs(costs: Costs) -> None:
    assert found([pair("a", "b", -0.01, 0.01)], costs) is None


@pytest.mark.parametrize(
    ("tested", "doubts"),
    [
        ([pair("cheap", "dear", -0.09, 0.3)], 0),
        ([pair("cheap", "dear", -0.11, 0.3)], 1),
        ([pair("dear", "cheap", -0.3, 0.09)], 0),
        ([pair("dear", "cheap", -0.3, 0.11)], 1),
        ([pair("cheap", "dear", -0.3, 0.09, LOSS)], 0),
        ([pair("cheap", "dear", -0.3, 0.11, LOSS)], 1),
        ([pair("dear", "cheap", -0.09, 0.3, LOSS)], 0),
        ([pair("dear", "cheap", -0.11, 0.3, LOSS)], 1),
        ([pair("other", "third", -0.01, 0.01)], 1),
    ],
)
def test_it_is_no_worse_where_the_bound_on_the_side_of_a_loss_is_within_the_margin(
    tested: list[PairDifference], doubts: int
) -> None:
    told = found(tested, {"dear": 2.0, "cheap": 1.0})
    assert told is not None
    assert (told.name, len(told.doubts)) == ("cheap", doubts)


def test_it_says_by_which_rule_and_what_the_others_cost() -> None:
    told = found([pair("a", "b", -0.01, 0.01)], {"a": 0.25, "b": 1.5})
    assert told is not None
    assert told.words == (
        "`a` is the cheapest, and by no_worse_than_baseline not worse than the others by more than "
        "0.1 in s.x.a; 1,000 answers cost `a` 0.25, `b` 1.5"
    )


def test_each_metric_with_a_margin_counts_the_narrowest_of_several() -> None:
    rule = {"metric": "s.x.a", "require": "no_worse_than_baseline", "margin": 0.3}
    narrow = {**rule, "margin": 0.05}
    other = {**rule, "metric": "s.x.b"}
    tested = [
        pair("a", "b", -0.1, 0.1),
        pair("a", "b", -0.4, 0.1, metric="s.x.b"),
        pair("a", "b", -0.9, 0.1, metric="s.x.c"),
    ]
    told = found(tested, {"a": 1.0, "b": 2.0}, rule, narrow, other)
    assert told is not None
    assert told.doubts == (
        "it may be worse than `b` in s.x.a by up to 0.1, where 0.05 is allowed",
        "it may be worse than `b` in s.x.b by up to 0.4, where 0.3 is allowed",
    )


def test_without_a_margin_there_is_nothing_more_to_show() -> None:
    told = found(
        [pair("a", "b", -0.9, 0.9)], {"a": 1.0, "b": 2.0}, {"require": "no_new_critical_failures"}
    )
    assert told is not None
    assert (told.words.split(";")[0], told.doubts) == ("`a` is the cheapest", ())


def test_one_that_is_worse_by_the_margin_is_seldom_called_no_worse() -> None:
    random = np.random.default_rng(3)
    wrong = runs = 200
    for seed in range(runs):
        dear = random.random(150) < 0.9
        cheap = dear & (random.random(150) >= MARGIN / 0.9)
        groups = np.arange(150).astype(np.str_)
        interval = paired_difference(cheap.astype(float), dear.astype(float), groups, seed=seed)
        told = found(
            [PairDifference(("cheap", "dear"), "s.x.a", SHARE, interval)],
            {"cheap": 1.0, "dear": 2.0},
        )
        assert told is not None
        wrong -= bool(told.doubts)
    assert wrong <= binom.isf(1e-4, runs, 0.05)
