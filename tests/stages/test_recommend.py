"""The recommendation: what it follows from, and how seldom it prefers one of equals."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy.stats import binom

from harness.records.comparison import PairedMetric
from harness.records.policy import Policy
from harness.records.recommendation import Advantage, Recommendation
from harness.stages.compare import compare
from harness.stages.gate import gate
from harness.stages.recommend import advantages, choose, directions, recommend
from tests.stages.making import make_run, shop, usual
from tests.stages.test_gate import NOW

ALPHA = 0.05
SIMULATIONS = 200
MOST = int(binom.isf(1e-4, SIMULATIONS, ALPHA))  # what chance brings 1 time in 10,000

Answering = Callable[[str, Any], Any]


@pytest.fixture(autouse=True)
def _no_collection(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library that corrects collects garbage in every call, which would take long."""
    monkeypatch.setattr("gc.collect", lambda: 0)


def metric(name: str, ours: npt.NDArray[np.bool_], theirs: npt.NDArray[np.bool_]) -> PairedMetric:
    one = np.ones(ours.size)
    groups = np.arange(ours.size).astype(np.str_)
    return PairedMetric(name, ours.astype(float), one, theirs.astype(float), one, groups)


def test_equals_are_seldom_told_apart() -> None:
    random = np.random.default_rng(7)
    signs = {"s.a": 1, "s.b": -1}
    preferred = 0
    for _ in range(SIMULATIONS):
        answers = {name: random.random((3, 40)) < 0.75 for name in signs}
        pairs = {
            (f"c{i}", f"c{j}"): {name: metric(name, a[i], a[j]) for name, a in answers.items()}
            for i, j in ((0, 1), (0, 2), (1, 2))
        }
        tested, found = advantages(pairs, signs, ALPHA)
        assert tested == 6
        choice, chosen = choose(("c0", "c1", "c2"), found)
        preferred += (choice, chosen) != ("equal", ("c0", "c1", "c2"))
    assert preferred <= MOST


def test_a_clear_difference_is_found_whichever_way_round() -> None:
    random = np.random.default_rng(8)
    found = 0
    for _ in range(20):
        good = random.random(200) < 0.9
        bad = good & (random.random(200) > 0.2)
        for pair, values in ((("a", "b"), (good, bad)), (("b", "a"), (bad, good))):
            _, named = advantages({pair: {"s.m": metric("s.m", *values)}}, {"s.m": 1}, ALPHA)
            found += [(one.better, one.worse) for one in named] == [("a", "b")]
            assert all(one.ci_low <= one.estimate <= one.ci_high for one in named)
            assert all(one.estimate > 0 for one in named)
    assert found >= 38


def test_where_less_is_better_the_lower_is_the_better() -> None:
    high, low = np.arange(100) < 90, np.arange(100) < 40
    _, (one,) = advantages({("a", "b"): {"s.m": metric("s.m", high, low)}}, {"s.m": -1}, ALPHA)
    assert (one.better, one.worse) == ("b", "a")
    assert one.estimate == pytest.approx(-0.5)


RULES = [
    ({"metric": "s.x.a", "require": "at_least", "value": 0.5}, {"s.x.a": 1}),
    ({"metric": "s.x.a", "require": "better_than_baseline"}, {"s.x.a": 1}),
    ({"metric": "s.x.a", "require": "no_worse_than_baseline", "margin": 0.1}, {"s.x.a": 1}),
    ({"metric": "s.x.a", "require": "at_most", "value": 0.5}, {"s.x.a": -1}),
    ({"metric": "s.x.a", "require": "ratio_at_most", "value": 2.0}, {"s.x.a": -1}),
    ({"metric": "latency.ttft_p95", "require": "ratio_at_most", "value": 1.1}, {}),
    ({"require": "no_new_critical_failures"}, {}),
]


@pytest.mark.parametrize(("rule", "wanted"), RULES)
def test_what_is_better_follows_from_the_rule(rule: dict[str, Any], wanted: Any) -> None:
    assert directions(Policy.model_validate({"baseline": "b", "rules": [rule]})) == wanted


@pytest.mark.parametrize("order", [(0, 3), (3, 0), (0, 3, 0)])
def test_a_metric_that_is_to_be_neither_low_nor_high_prefers_nobody(order: Any) -> None:
    rules = [RULES[place][0] for place in order]
    assert directions(Policy.model_validate({"baseline": "b", "rules": rules})) == {}


def worse(metric_name: str, better: str, worse_one: str) -> Advantage:
    return Advantage(metric=metric_name, better=better, worse=worse_one, estimate=0.2,
                     ci_low=0.1, ci_high=0.3, p_value=0.01)  # fmt: skip


@pytest.mark.parametrize(
    ("passing", "found", "choice"),
    [
        ([], [], ("none", ())),
        (["a"], [], ("one", ("a",))),
        (["a", "b"], [], ("equal", ("a", "b"))),
        (["a", "b"], [worse("m", "a", "b")], ("one", ("a",))),
        (["a", "b", "c"], [worse("m", "a", "b")], ("equal", ("a", "c"))),
        (["a", "b"], [worse("m", "a", "b"), worse("n", "b", "a")], ("trade_off", ())),
    ],
)
def test_those_worse_than_another_are_left_out(passing: Any, found: Any, choice: Any) -> None:
    assert choose(passing, found) == choice


BETTER = {"metric": "shop.gold.accuracy", "require": "better_than_baseline", "by": 0.2}


def recommended(
    tmp_path: Path, rules: list[dict[str, Any]], **answering: Answering
) -> Recommendation:
    project, suites = shop(tmp_path)
    policy = Policy.model_validate({"baseline": "base", "rules": rules})
    base = make_run(project, suites, "base")
    runs = {name: make_run(project, suites, "candidate", how) for name, how in answering.items()}
    verdicts = {name: gate(compare(run, base, suites), policy, NOW) for name, run in runs.items()}
    return recommend(runs, verdicts, suites, policy)


def half(target: str, ask: Any) -> Any:
    """Right in three of four facts."""
    known = ask.section != "gold" or int(ask.case.id[1:]) % 4
    return usual(target, ask) if known else "no idea"


def none(target: str, ask: Any) -> Any:
    return f"no idea, says {target}"


def test_only_what_passes_can_be_recommended(tmp_path: Path) -> None:
    found = recommended(tmp_path, [BETTER], good=usual, bad=none)
    assert (found.choice, found.candidates) == ("one", ("good",))
    assert found.reason == "`good` passes every rule, alone of 2"
    nobody = recommended(tmp_path / "2", [BETTER], bad=none)
    assert (nobody.choice, nobody.candidates) == ("none", ())
    assert nobody.reason == "the policy promotes none of 1: 1 BLOCK"
    assert nobody.notes == ()


def test_the_one_that_is_better_in_a_ruled_metric_is_recommended(tmp_path: Path) -> None:
    found = recommended(tmp_path, [BETTER], fair=half, good=usual)
    assert (found.choice, found.candidates) == ("one", ("good",))
    assert found.reason == (
        "`good` passes every rule; `fair` passes too and is worse than `good` in shop.gold.accuracy"
    )
    (one,) = found.advantages
    assert one.estimate == pytest.approx(0.25)


def test_a_metric_without_a_rule_prefers_nobody(tmp_path: Path) -> None:
    rule = {"metric": "shop.scope.refusal_recall", "require": "better_than_baseline"}
    found = recommended(tmp_path, [rule], fair=half, good=usual)
    assert (found.choice, found.candidates) == ("equal", ("fair", "good"))
    assert "cannot be told apart: take either" in found.reason


def test_how_many_were_tried_is_said(tmp_path: Path) -> None:
    found = recommended(tmp_path, [BETTER], good=usual, fair=half, bad=none)
    assert found.tried == 3
    assert "with a chance of up to 15%" in found.notes[0]
    alone = recommended(tmp_path / "2", [BETTER], good=usual)
    assert alone.notes == ()
