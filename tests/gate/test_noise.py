"""The gate's own noise, from runs whose repeats differ in a known way."""

from __future__ import annotations

import random
import statistics
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from harness.errors import EvidenceError
from harness.gate.noise import false_alarms, measure_noise
from harness.records.attempt import Failure
from harness.records.noise import Noise
from harness.records.plan import PlannedRequest
from harness.records.rule import Policy
from harness.records.run import RunRecord
from harness.run.plan import Selection
from tests.builders import Answering, changed, make_run, shop, usual

ACCURACY = "shop.gold.accuracy"
RULES = [
    {"metric": ACCURACY, "require": "no_worse_than_baseline", "margin": 0.05},
    {"metric": ACCURACY, "require": "better_than_baseline"},
    {"require": "no_new_critical_failures"},
]


def measured(
    folder: Path,
    answering: Answering,
    *rules: dict[str, Any],
    askings: int = 2,
    repeats: int = 1,
    **policy: Any,
) -> Noise:
    project, suites = shop(folder)
    asked = Selection(repeats=askings * repeats)
    run = make_run(project, suites, "base", answering, selection=asked)
    given = {"baseline": "base", "rules": rules or RULES, **policy}
    return measure_noise(run, suites, Policy.model_validate(given), "2026-01-01T00:00:00Z", repeats)


def knows(*known: range) -> Answering:
    """Repeat k knows the facts in `known[k]` and no other."""

    def answering(target: str, ask: PlannedRequest) -> str:
        if ask.section != "gold":
            return usual("candidate", ask)
        number = int(ask.case.id[1:])
        return f"It is value {number}." if number in known[ask.repeat] else "No idea."

    return answering


def test_a_target_that_always_says_the_same_has_no_noise(tmp_path: Path) -> None:
    noise = measured(tmp_path, usual, askings=3)
    assert (noise.askings, noise.repeats, noise.pairs) == (3, 1, 3)
    assert [(part.cases, part.flips, part.texts) for part in noise.sections] == [(40, 0, 0)] * 2
    assert {(one.noise, one.largest) for one in noise.metrics} == {(0.0, 0.0)}
    outcomes = [rule.outcomes for rule in noise.rules]
    assert outcomes == [{"inconclusive": 6}, {"inconclusive": 6}, {"pass": 6}]
    assert [rule.flip_rate for rule in noise.rules] == [0.0] * 3
    assert sum(false_alarms(rule) for rule in noise.rules) == 0
    assert (noise.verdicts, noise.flip_rate) == ({"INCONCLUSIVE": 6}, 0.0)


def test_what_differs_between_two_askings_is_counted_case_by_case(tmp_path: Path) -> None:
    """The facts known in one of two askings alone are 4, 10 and 6."""
    noise = measured(tmp_path, knows(range(10), range(14), range(4, 16)), askings=3)
    gold, scope = noise.sections
    assert gold.flips == pytest.approx((4 + 10 + 6) / 3 / 40)
    assert gold.texts == gold.flips
    assert (scope.flips, scope.texts) == (0, 0)
    accuracy = next(one for one in noise.metrics if one.metric == ACCURACY)
    assert accuracy.value == pytest.approx((10 + 14 + 12) / 3 / 40)
    assert accuracy.largest == pytest.approx(4 / 40)
    assert accuracy.noise == pytest.approx(((4**2 + 2**2 + 2**2) / 3) ** 0.5 / 40)


def test_an_asking_has_as_many_repeats_as_a_gate_and_averages_them(tmp_path: Path) -> None:
    """Known are 10 and 14 facts in one asking, 14 and 18 in the other: 4 more in each repeat."""
    known = knows(range(10), range(14), range(14), range(18))
    noise = measured(tmp_path, known, askings=2, repeats=2)
    assert (noise.askings, noise.repeats, noise.pairs) == (2, 2, 1)
    assert noise.generation["repeats"] == 2
    gold = noise.sections[0]
    assert (gold.cases, gold.flips) == (40, pytest.approx(4 / 40))
    accuracy = next(one for one in noise.metrics if one.metric == ACCURACY)
    assert accuracy.value == pytest.approx((10 + 14 + 14 + 18) / 4 / 40)
    assert accuracy.noise == pytest.approx(4 / 40)
    assert sum(noise.verdicts.values()) == 2


def test_texts_may_differ_where_nothing_flips(tmp_path: Path) -> None:
    noise = measured(tmp_path, lambda target, ask: f"{usual(target, ask)} {'!' * ask.repeat}")
    assert [(part.flips, part.texts) for part in noise.sections] == [(0, 1)] * 2


def test_the_noise_of_coins_is_what_probability_says(tmp_path: Path) -> None:
    """Each of 40 facts is known with probability 1/2, drawn anew in each asking.

    The difference of two askings then has the standard deviation sqrt(2 · 1/4 / 40) = 0.112, and
    its mean square over all pairs is twice the variance of the askings' values.
    """
    coins = random.Random(5)
    asked = [[number for number in range(40) if coins.random() < 0.5] for _ in range(12)]

    def answering(target: str, ask: PlannedRequest) -> str:
        if ask.section != "gold":
            return "Here you are."
        number = int(ask.case.id[1:])
        return f"value {number}" if number in asked[ask.repeat] else "No idea."

    noise = measured(tmp_path, answering, RULES[2], askings=12)
    accuracy = next(one for one in noise.metrics if one.metric == ACCURACY)
    values = [len(known) / 40 for known in asked]
    assert accuracy.noise == pytest.approx((2 * statistics.variance(values)) ** 0.5)
    assert 0.07 < accuracy.noise < 0.16
    assert 0.45 < noise.sections[0].flips < 0.55


def test_a_rule_on_the_edge_flips_and_takes_the_verdict_with_it(tmp_path: Path) -> None:
    """Two of three askings are above the value, each is the candidate twice."""
    edge = {"metric": ACCURACY, "require": "at_least", "value": 0.3, "evidence": "point"}
    noise = measured(tmp_path, knows(range(10), range(14), range(13)), edge, askings=3)
    assert noise.rules[0].outcomes == {"pass": 4, "fail": 2}
    assert noise.rules[0].flip_rate == pytest.approx(1 / 3)
    assert noise.verdicts == {"PROMOTE": 4, "BLOCK": 2}
    assert noise.flip_rate == pytest.approx(1 / 3)
    assert (noise.rules[0].limit, false_alarms(noise.rules[0])) == (0.3, 0)


def test_askings_far_apart_are_false_alarms_one_way_each(tmp_path: Path) -> None:
    noise = measured(tmp_path, knows(range(0), range(40)))
    worse, better, critical = noise.rules
    assert Counter(worse.outcomes) == {"fail": 1, "pass": 1}
    assert Counter(better.outcomes) == {"fail": 1, "pass": 1}
    assert [false_alarms(rule) for rule in (worse, better, critical)] == [1, 1, 0]
    assert noise.sections[0].flips == 1.0


def test_a_critical_case_that_flips_shows_where_the_policy_forgot_it(tmp_path: Path) -> None:
    def answering(target: str, ask: PlannedRequest) -> str:
        if ask.case.id == "s0" and ask.repeat == 0:
            return "Sorry, I can't help with that."
        return usual(target, ask)

    noise = measured(tmp_path, answering, RULES[0])
    assert [rule.require for rule in noise.rules] == [
        "no_worse_than_baseline", "no_new_critical_failures",
    ]  # fmt: skip
    assert noise.rules[1].outcomes == {"fail": 1, "pass": 1}
    assert false_alarms(noise.rules[1]) == 1
    assert noise.verdicts == {"BLOCK": 1, "INCONCLUSIVE": 1}


def test_rules_on_latency_are_no_matter_of_the_answers(tmp_path: Path) -> None:
    slow = {"metric": "latency.ttft_p95", "require": "ratio_at_most", "value": 1.1}
    noise = measured(tmp_path, usual, slow, RULES[2])
    assert [rule.require for rule in noise.rules] == ["no_new_critical_failures"]
    assert noise.verdicts == {"PROMOTE": 2}


def fails(repeat: int) -> Answering:
    return lambda target, ask: (
        Failure(cause="timeout", detail="late")
        if ask.case.id == "g1" and ask.repeat == repeat
        else usual(target, ask)
    )


def test_too_few_scores_in_one_asking_are_no_evidence(tmp_path: Path) -> None:
    with pytest.raises(EvidenceError, match=r"scores for 97.5 % of shop.gold, 99 % are needed"):
        measured(tmp_path, fails(1))
    noise = measured(tmp_path / "x", fails(1), min_scored=0.9)
    assert noise.sections[0].flips == 0.0


@pytest.mark.parametrize(
    ("answering", "hint"),
    [
        (fails(1), "ask again when the server answers"),
        (
            lambda target, ask: "" if ask.case.id == "g1" else usual(target, ask),
            "asking again does not help",
        ),
    ],
)
def test_the_hint_goes_by_why_there_is_no_score(
    tmp_path: Path, answering: Answering, hint: str
) -> None:
    with pytest.raises(EvidenceError, match=r"of shop.gold") as caught:
        measured(tmp_path, answering)
    assert hint in caught.value.hint


def test_a_rule_that_cannot_be_judged_has_no_noise(tmp_path: Path) -> None:
    ratio = {"metric": "shop.scope.f1", "require": "ratio_at_most", "value": 1.1}
    with pytest.raises(EvidenceError, match=r"shop.scope.f1 cannot be computed: a ratio of"):
        measured(tmp_path, usual, *RULES, ratio)


def test_evidence_that_cannot_be_trusted_has_no_noise(tmp_path: Path) -> None:
    project, suites = shop(tmp_path)
    run = make_run(project, suites, "base", adapter="sha256:a", selection=Selection(repeats=2))
    policy = Policy.model_validate({"baseline": "base", "rules": RULES})
    with pytest.raises(EvidenceError, match="no proof that its adapter was applied"):
        measure_noise(run, suites, policy, "now")


def test_one_asking_has_no_noise(tmp_path: Path) -> None:
    with pytest.raises(EvidenceError, match="asked once"):
        measured(tmp_path, usual, askings=1)


def other(run: RunRecord, name: str) -> dict[str, Any]:
    settings = {"temperature": 0.7, "concurrency": 3, "repeats": 2}
    if name in settings:
        return {"generation": {**run.header.generation, name: settings[name]}}
    if name == "identity":
        return {"identity": run.header.identity.model_copy(update={"weights": "sha256:new"})}
    return {name: {"shop": "another"}} if name != "target" else {"target": "other"}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("target", "it is of `base`"),
        ("identity", "the model or its server is another"),
        ("suites", "the suites are others"),
        ("system_prompts", "the system prompt is another"),
        ("temperature", "the sampling settings are others"),
        ("concurrency", "it was measured with 8 requests at once, the run had 3"),
        ("repeats", "it is of 1 attempt a case, the run has 2"),
    ],
)
def test_noise_speaks_only_of_what_it_was_measured_on(
    tmp_path: Path, name: str, words: str
) -> None:
    project, suites = shop(tmp_path)
    run = make_run(project, suites, "base", selection=Selection(repeats=2))
    policy = Policy.model_validate({"baseline": "base", "rules": RULES})
    noise = measure_noise(run, suites, policy, "now")
    later = make_run(project, suites, "base")
    assert noise.misfit(later.header) == ""
    assert noise.misfit(changed(later, **other(later, name)).header) == words
