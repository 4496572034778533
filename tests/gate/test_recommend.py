"""The recommendation: what it follows from, and how seldom it prefers one of equals."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy.stats import binom

from harness.gate.compare import compare
from harness.gate.judge import gate
from harness.gate.recommend import advantages, aims, choose, differences, reason, recommend
from harness.records.comparison import PairedMetric
from harness.records.leaderboard import Advantage, Recommendation
from harness.records.metric import SHARE, Metric
from harness.records.rule import Policy
from harness.records.verdict import RuleResult, Verdict
from tests.builders import make_run, shop, usual
from tests.gate.simulated import remembered
from tests.gate.test_judge import NOW
from tests.report.history_fixtures import verdict

ALPHA = 0.05
SIMULATIONS = 200
MOST = int(binom.isf(1e-4, SIMULATIONS, ALPHA))  # what chance brings 1 time in 10,000

Answering = Callable[[str, Any], Any]


def metric(name: str, ours: npt.NDArray[np.bool_], theirs: npt.NDArray[np.bool_]) -> PairedMetric:
    one = np.ones(ours.size)
    groups = np.arange(ours.size).astype(np.str_)
    return PairedMetric(name, ours.astype(float), one, theirs.astype(float), one, groups)


def test_equals_are_seldom_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["harness.gate.differences"], "difference", remembered())
    random = np.random.default_rng(7)
    wanted = ("s.a", "s.b")
    preferred = 0
    for _ in range(SIMULATIONS):
        answers = {name: random.random((3, 40)) < 0.75 for name in wanted}
        pairs = {
            (f"c{i}", f"c{j}"): {name: metric(name, a[i], a[j]) for name, a in answers.items()}
            for i, j in ((0, 1), (0, 2), (1, 2))
        }
        tested = differences(pairs, wanted, ALPHA)
        assert len(tested) == 6
        found = advantages(tested, ALPHA)
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
            pairs = {pair: {"s.m": metric("s.m", *values)}}
            named = advantages(differences(pairs, ("s.m",), ALPHA), ALPHA)
            found += [(one.better, one.worse) for one in named] == [("a", "b")]
            assert all(one.ci_low <= one.estimate <= one.ci_high for one in named)
            assert all(one.estimate > 0 for one in named)
    assert found >= 38


RULES = [
    ({"metric": "s.x.a", "require": "at_least", "value": 0.5}, ("s.x.a",)),
    ({"metric": "s.x.a", "require": "better_than_baseline"}, ("s.x.a",)),
    ({"metric": "s.x.a", "require": "no_worse_than_baseline", "margin": 0.1}, ("s.x.a",)),
    ({"metric": "s.x.a", "require": "at_most", "value": 0.5}, ()),
    ({"metric": "s.x.a", "require": "ratio_at_most", "value": 2.0}, ()),
    ({"metric": "latency.ttft_p95", "require": "ratio_at_most", "value": 1.1}, ()),
    ({"require": "no_new_critical_failures"}, ()),
]


@pytest.mark.parametrize(("rule", "wanted"), RULES)
def test_what_is_wanted_high_follows_from_the_rule(rule: dict[str, Any], wanted: Any) -> None:
    policy = Policy.model_validate({"baseline": "b", "rules": [rule]})
    assert aims(policy, {"s.x.a": SHARE}) == wanted


@pytest.mark.parametrize("order", [(0, 3), (3, 0), (0, 3, 0)])
def test_a_cap_beside_another_rule_prefers_nobody_either(order: Any) -> None:
    rules = [RULES[place][0] for place in order]
    assert aims(Policy.model_validate({"baseline": "b", "rules": rules}), {"s.x.a": SHARE}) == ()


def worse(metric_name: str, better: str, worse_one: str) -> Advantage:
    return Advantage(metric=metric_name, better=better, worse=worse_one, estimate=0.2,
                     ci_low=0.1, ci_high=0.3, p_value=0.01)  # fmt: skip


def beats(*pairs: str) -> list[Advantage]:
    """`abm`: a is better than b in m."""
    return [worse(pair[2], pair[0], pair[1]) for pair in pairs]


CHOICES: list[tuple[str, list[Advantage], tuple[str, str]]] = [
    ("", [], ("none", "")),
    ("a", [], ("one", "a")),
    ("ab", [], ("equal", "ab")),
    ("ab", beats("abm"), ("one", "a")),
    ("abc", beats("abm"), ("equal", "ac")),
    ("abc", beats("abm", "bcm"), ("one", "a")),
    ("ab", beats("abm", "ban"), ("trade_off", "")),
    ("abc", beats("abm", "ban"), ("trade_off", "")),
    ("abc", beats("abm", "ban", "cam"), ("equal", "bc")),
    ("abc", beats("abm", "ban", "cam", "cbm"), ("one", "c")),
    ("abc", beats("abm", "bcn", "cao"), ("trade_off", "")),
    ("abcd", beats("abm", "bcn", "cao"), ("trade_off", "")),
    ("abcd", beats("abm", "bcn", "cdo", "dap"), ("trade_off", "")),
    ("abcd", beats("abm", "bcn", "cao", "dam"), ("one", "d")),
]


@pytest.mark.parametrize(("passing", "found", "choice"), CHOICES)
def test_who_is_worse_than_another_and_better_in_nothing_is_left_out(
    passing: str, found: list[Advantage], choice: tuple[str, str]
) -> None:
    assert choose(passing, found) == (choice[0], tuple(choice[1]))


@pytest.mark.parametrize(
    ("passing", "found", "unknown", "choice"),
    [
        ("ab", [], ["ab"], "not_compared"),
        ("abc", [], ["ac", "bc"], "not_compared"),
        ("abc", beats("abm"), ["ac", "bc"], "not_compared"),
        ("abc", beats("abm", "ban"), ["ac", "bc"], "trade_off"),
        ("abc", beats("abm", "bcm"), ["ac"], "not_compared"),
    ],
)
def test_who_was_not_compared_wins_over_nobody(
    passing: str, found: list[Advantage], unknown: list[str], choice: str
) -> None:
    assert choose(passing, found, {(pair[0], pair[1]) for pair in unknown}) == (choice, ())


def judged(names: str) -> dict[str, Verdict]:
    """Verdicts that promote each of them."""
    rules = (RuleResult(require="at_least", outcome="pass", reason="passes"),)
    return {name: verdict(rules=rules, candidate=name) for name in names}


REASONS: list[tuple[str, list[Advantage], list[str], str]] = [
    ("abc", beats("abm", "ban"), [],
     ("`a` and `b` pass every rule, and each is worse than another on a metric with a rule; the "
     "policy does not say which metric counts more; `c` passes too and was found neither better "
     "nor worse")),
    ("abc", [], ["ab", "ac", "bc"], "`a`, `b` and `c` pass every rule and were not compared"),
    ("abc", [], ["ac"],
     ("`a`, `b` and `c` pass every rule, none was found better than another, and some of them were "
     "not compared")),
    ("abc", beats("abm", "bcm"), ["ac"],
     ("`a` passes every rule and was not compared with `c`; `b` passes too and is worse than `a` "
     "in m; `c` passes too and is worse than `b` in m")),
    ("abc", beats("abm", "ban", "cbm"), [],
     ("`a` and `c` pass every rule and do not differ significantly: take either; `b` passes too "
     "and is worse than `c` in m")),
]  # fmt: skip


@pytest.mark.parametrize(("names", "found", "unknown", "told"), REASONS)
def test_the_reason_says_what_was_found(
    names: str, found: list[Advantage], unknown: list[str], told: str
) -> None:
    pairs = {(pair[0], pair[1]) for pair in unknown}
    choice, _ = choose(names, found, pairs)
    assert reason(choice, judged(names), found, pairs) == told


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
    assert found.reason == "`good` is the only one of 2 candidates that passes every rule"
    nobody = recommended(tmp_path / "2", [BETTER], bad=none)
    assert (nobody.choice, nobody.candidates) == ("none", ())
    assert nobody.reason == "no candidate passes every rule: 1 BLOCK"
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
    assert "do not differ significantly: take either" in found.reason


def test_how_many_were_tried_is_said(tmp_path: Path) -> None:
    found = recommended(tmp_path, [BETTER], good=usual, fair=half, bad=none)
    assert found.tried == 3
    assert "the chance that one passes anyway is up to 15%" in found.notes[0]
    alone = recommended(tmp_path / "2", [BETTER], good=usual)
    assert alone.notes == ()


def timid(target: str, ask: Any) -> Any:
    """Right in every fact, and refuses whatever else it is asked."""
    return usual(target, ask) if ask.section == "gold" else f"Sorry, I can't help. {target}"


CAP = {"metric": "shop.scope.answer_rate", "require": "at_most", "value": 1.0, "evidence": "point"}


def test_who_answers_less_is_not_preferred_for_a_cap(tmp_path: Path) -> None:
    stops = {"metric": "finishes", "require": "no_worse_than_baseline"}
    found = recommended(tmp_path, [CAP, stops], timid=timid, good=usual)
    assert (found.choice, found.candidates, found.tested) == ("not_compared", (), 0)
    assert found.reason == "`timid` and `good` pass every rule and were not compared"
    assert found.notes[0] == (
        "`timid` and `good` were not compared: no rule asks for a metric to be high"
    )


def test_two_that_cannot_be_compared_are_named(tmp_path: Path) -> None:
    project, suites = shop(tmp_path)
    policy = Policy.model_validate({"baseline": "base", "rules": [BETTER]})
    base = make_run(project, suites, "base")
    runs = {name: make_run(project, suites, "candidate") for name in ("one", "other")}
    verdicts = {name: gate(compare(run, base, suites), policy, NOW) for name, run in runs.items()}
    header = runs["other"].header.model_copy(update={"suites": {"shop": "sha256:x"}})
    runs["other"] = replace(runs["other"], header=header)
    found = recommend(runs, verdicts, suites, policy)
    assert (found.choice, found.candidates) == ("not_compared", ())
    assert "cannot be told apart" not in found.reason
    assert found.notes[0].startswith("`one` and `other` were not compared: ")


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ([], "up to 10%"),
        ([{"require": "no_new_critical_failures"}],
         "it can be higher for a candidate that only `no_new_critical_failures` would stop"),
        ([CAP], ("up to 10%; it can be higher for a candidate that only `shop.scope.answer_rate` "
                "at_most 1 (evidence: point) would stop")),
        ([CAP, {"require": "no_new_critical_failures"}],
         "at_most 1 (evidence: point) or `no_new_critical_failures` would stop"),
    ],
)  # fmt: skip
def test_the_bound_on_luck_names_the_rules_that_have_none(
    tmp_path: Path, more: list[dict[str, Any]], told: str
) -> None:
    found = recommended(tmp_path, [BETTER, *more], good=usual, fair=half)
    assert found.notes[0].endswith(told)


def test_where_lower_is_better_the_lower_one_is_preferred() -> None:
    nats = Metric(name="m", unit="nats/token", direction="lower", high=None)
    low, high = (np.linspace(start, start + 0.5, 40) for start in (2.0, 3.0))
    one, groups = np.ones(40), np.arange(40).astype(np.str_)
    found = PairedMetric("s.x.m", high, one, low, one, groups, metric=nats)
    tested = differences({("a", "b"): {"s.x.m": found}}, ("s.x.m",), ALPHA, {"s.x.m": 5.0})
    (named,) = advantages(tested, ALPHA)
    assert (named.better, named.worse, named.definition) == ("b", "a", nats)
    assert named.estimate == pytest.approx(-1.0)
    assert named.ci_low <= named.estimate <= named.ci_high
    for require, wanted in (("at_most", ("s.x.m",)), ("at_least", ())):
        rule = {"metric": "s.x.m", "require": require, "value": 2.0, "cap": 5.0}
        policy = Policy.model_validate({"baseline": "b", "rules": [rule]})
        assert aims(policy, {"s.x.m": nats}) == wanted
