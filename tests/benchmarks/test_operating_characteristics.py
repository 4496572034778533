"""The simulations of the gate: what they claim to be true is, and the verdicts that must follow."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.operating_characteristics import (
    FAILING,
    Cell,
    Claim,
    chunk,
    claims,
    draw,
    table,
    verdicts,
)
from benchmarks.scenarios import SCENARIOS, SECTIONS, Scenario, policy, relation
from benchmarks.worlds import FAILED, RIGHT, SILENT, WRONG, world
from harness.gate.judge import check_policy

BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}
NO_CHANGE = BY_NAME["no change"]


def counted(name: str, size: int, simulations: int) -> Counter[str]:
    return chunk(size, replace(BY_NAME[name], policies=("usual",)), 0, simulations)["usual"]


@pytest.mark.parametrize(
    "name",
    ["both sides gave the same answers", "the candidate's scores of tone are missing"],
)
def test_evidence_that_cannot_be_trusted_is_always_invalid(name: str) -> None:
    assert counted(name, 120, 5) == {"INVALID": 5}


def test_failed_requests_are_mostly_invalid_and_hardly_ever_promoted() -> None:
    found = counted("2 % of the candidate's requests fail", 120, 25)
    assert found["INVALID"] >= 20
    assert found["PROMOTE"] == 0


def test_a_new_critical_failure_is_always_blocked() -> None:
    assert counted("one new critical failure", 120, 5) == {"BLOCK": 5}


def test_a_loss_beyond_its_margin_is_hardly_ever_promoted() -> None:
    found = counted("10 points lost in gold", 300, 25)
    assert found["PROMOTE"] <= 1
    assert found["BLOCK"] >= 5


def test_no_change_is_often_promoted_and_not_blocked() -> None:
    found = counted("no change", 300, 40)
    assert found["PROMOTE"] > 10
    assert found["BLOCK"] == 0


def test_a_seed_gives_the_same_verdicts_again() -> None:
    name = "2 % of the candidate's requests fail"
    assert counted(name, 60, 4) == counted(name, 60, 4)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_the_simulated_truth_is_what_the_scenario_says(scenario: Scenario) -> None:
    """Within four standard errors of what the changes, less the critical cases, come to."""
    made = world(300, scenario.grouped)
    rng = np.random.default_rng(1)
    pairs = [draw(made, scenario, rng) for _ in range(1000)]
    base, candidate = (np.array([pair[arm] for pair in pairs]) for arm in (0, 1))
    also = (candidate % 2 == RIGHT) & (candidate != SILENT)
    right, same = base == RIGHT, (base == RIGHT) == also
    lost = right & ~also
    for name, kind in SECTIONS.items():
        here = (made.section == name) & ~made.critical
        change = scenario.changes.get(name, 0.0)
        discordant = 0.0 if scenario.spoiled == "identical" else 2 * kind.discordant + abs(change)
        if scenario.spoiled != "failing":
            assert close(~same[:, here], discordant)
            gains = np.where(same, 0.0, np.where(lost, -1.0, 1.0))[:, here]
            assert close(gains, change)
        assert close(right[:, here], kind.accuracy)
    assert close(candidate == FAILED, FAILING if scenario.spoiled == "failing" else 0.0)
    assert (candidate == SILENT).any() == (scenario.spoiled == "silent")
    assert right[:, made.critical].all()
    broken = (candidate == WRONG)[:, made.critical].sum(axis=1)
    assert (broken == (scenario.spoiled == "critical")).all()


def close(drawn: np.ndarray, truth: float) -> bool:
    """Whether the mean over simulations (rows) is the truth, by what the rows differ."""
    means = drawn.mean(axis=1)
    error = means.std(ddof=1) / np.sqrt(len(means))
    return bool(abs(means.mean() - truth) <= 4.0 * error + 1e-12)


@pytest.mark.parametrize("grouped", [False, True])
def test_the_runs_hold_what_was_drawn(grouped: bool) -> None:
    made = world(120, grouped)
    assert made.section.size == 120
    assert max(Counter(made.group.tolist()).values()) == (3 if grouped else 1)
    base, candidate = draw(made, NO_CHANGE, np.random.default_rng(0))
    for arm, choices in ((made.baseline, base), (made.candidate, candidate)):
        run = arm.run(choices)
        found = run.summary.metrics
        for name, kind in SECTIONS.items():
            right = choices[made.section == name] % 2 == RIGHT
            assert found[f"shop.{name}.{kind.metric}"] == pytest.approx(right.mean())
    texts = [
        (one.text, other.text)
        for one, other in zip(
            made.baseline.run(base).attempts, made.candidate.run(candidate).attempts, strict=True
        )
    ]
    assert 0.3 < np.mean([one != other for one, other in texts]) < 0.7


@pytest.mark.parametrize("name", ["usual", "strict"])
def test_the_policy_has_six_rules_that_fit_the_suite(name: str) -> None:
    assert len(policy(name).rules) == 6
    check_policy(policy(name), world(60, False).suites, "harness.yaml: {}".format)
    (verdict,) = verdicts(world(60, False), Scenario("x", policies=(name,)), rng=rng()).values()
    assert len(verdict.rules) == 6
    assert verdict.problems == ()


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.mark.parametrize(
    ("changes", "usual", "strict"),
    [
        ({}, "within", "within"),
        ({"gold": -0.025}, "within", "at"),
        ({"gold": -0.05}, "at", "beyond"),
        ({"gold": 0.05, "general": -0.10}, "at", "at"),
        ({"gold": 0.05, "general": -0.12}, "beyond", "beyond"),
    ],
)
def test_losses_are_held_against_the_margin_of_their_section(
    changes: dict[str, float], usual: str, strict: str
) -> None:
    scenario = Scenario("x", changes)
    assert (relation(scenario, "usual"), relation(scenario, "strict")) == (usual, strict)


def test_a_claim_fails_where_chance_does_not_explain_the_excess() -> None:
    def claim(promoted: int) -> Claim:
        counts = Counter({"PROMOTE": promoted, "BLOCK": 400 - promoted})
        cell = Cell(BY_NAME["12 points lost in general, 5 won in gold"], "usual", 300, counts)
        assert "| usual | beyond | 300 |" in table([cell])
        (found,) = claims([cell])
        return found

    # Binomial(400, 0.06) is above 36 with a chance of 0.7 %, above 35 with one of 1.1 %.
    assert str(claim(36)).startswith("PASS")
    assert str(claim(37)).startswith("FAIL")
    assert "at most 6 %, by chance up to 9.0 % of 400" in str(claim(37))
