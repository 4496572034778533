"""What can be true of a candidate, and the policies that judge it.

The policies have six rules: four times no worse than the baseline, one floor under F1, and no new
critical failure. None asks for `better_than_baseline`, since a candidate that changes nothing would
then never be promoted, and whether it is promoted is half of what the table shows. `strict` is
`usual` but for a margin of 2.5 points on gold in place of 5, so that a loss of 3 points is beyond
it. `by groups` is `usual` with `weigh: groups`.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from harness.gate.rules.no_worse_than_baseline import NoWorseThanBaseline
from harness.records.rule import Policy

ALPHA = 0.05
F1_FLOOR = 0.80

Spoiled = Literal["critical", "failing", "missing", "identical", "silent"]
Relation = Literal["within", "at", "beyond"]


@dataclass(frozen=True, slots=True)
class Kind:
    """How a section is made: its share of the suite, its rule, who is right how often.

    `discordant` is the share of cases lost, and again the share won, where nothing changes.
    """

    share: float
    metric: str
    margin: float
    accuracy: float
    discordant: float


SECTIONS = {
    "gold": Kind(1 / 2, "accuracy", 0.05, accuracy=0.85, discordant=0.02),
    "general": Kind(1 / 6, "accuracy", 0.10, accuracy=0.80, discordant=0.01),
    "tone": Kind(1 / 6, "adherence", 0.10, accuracy=0.88, discordant=0.01),
    "scope": Kind(1 / 6, "accuracy", 0.10, accuracy=0.95, discordant=0.01),
}
STRICT_MARGIN = 0.025  # of gold


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is true of a candidate: by how much each section changes, and what else is broken.

    `weight` multiplies the number of simulations.
    """

    name: str
    changes: Mapping[str, float] = field(default_factory=dict)
    spoiled: Spoiled | None = None
    grouped: bool = False
    policies: tuple[str, ...] = ("usual",)
    weight: float = 1.0


GAINS = {"general": 0.08, "tone": 0.08, "scope": 0.02}
BOTH = ("usual", "strict")
WEIGHED = ("usual", "by groups")
SCENARIOS = (
    Scenario("no change", policies=BOTH, weight=2),
    Scenario("no change, up to 3 cases a group", grouped=True, policies=WEIGHED, weight=2),
    Scenario("1 point lost in every section", dict.fromkeys(SECTIONS, -0.01)),
    Scenario("3 points lost in gold", {"gold": -0.03}, policies=BOTH, weight=3),
    Scenario("5 points lost in gold", {"gold": -0.05}, policies=BOTH),
    Scenario("10 points lost in gold", {"gold": -0.10}, policies=BOTH, weight=0.5),
    Scenario("2.5 points lost in gold, gains elsewhere", {"gold": -0.025} | GAINS,
             policies=("strict",), weight=4),
    Scenario("5 points lost in gold, gains elsewhere", {"gold": -0.05} | GAINS, weight=4),
    Scenario("5 points lost in gold, gains elsewhere, up to 3 cases a group",
             {"gold": -0.05} | GAINS, grouped=True, policies=WEIGHED, weight=4),
    Scenario("10 points lost in general, 5 won in gold", {"general": -0.10, "gold": 0.05},
             weight=4),
    Scenario("12 points lost in general, 5 won in gold", {"general": -0.12, "gold": 0.05},
             weight=4),
    Scenario("5 points lost in gold, 1 % of gold without an answer, all of it lost",
             {"gold": -0.05}, spoiled="silent", weight=4),
    Scenario("one new critical failure", spoiled="critical", weight=0.5),
    Scenario("2 % of the candidate's requests fail", spoiled="failing"),
    Scenario("the candidate's scores of tone are missing", spoiled="missing", weight=0.25),
    Scenario("both sides gave the same answers", spoiled="identical", weight=0.25),
)  # fmt: skip


@functools.cache
def policy(name: str) -> Policy:
    """The policy `usual`, `strict`, or `by groups`, which weighs those: six rules."""
    rules: list[dict[str, Any]] = [
        {
            "metric": f"shop.{section}.{kind.metric}",
            "require": "no_worse_than_baseline",
            "margin": STRICT_MARGIN if (name, section) == ("strict", "gold") else kind.margin,
        }
        for section, kind in SECTIONS.items()
    ]
    rules += [
        {"metric": "shop.scope.f1", "require": "at_least", "value": F1_FLOOR},
        {"require": "no_new_critical_failures"},
    ]
    weigh = "groups" if name == "by groups" else "cases"
    given = {"baseline": "base", "alpha": ALPHA, "weigh": weigh, "rules": rules}
    return Policy.model_validate(given)


def relation(scenario: Scenario, name: str) -> Relation:
    """Where the scenario's worst loss lies, seen from the margins of the policy."""
    margins = {
        rule.metric.split(".")[1]: rule.margin
        for rule in policy(name).rules
        if isinstance(rule, NoWorseThanBaseline)
    }
    excess = max(-scenario.changes.get(section, 0.0) - margins[section] for section in margins)
    if abs(excess) < 1e-9:
        return "at"
    return "beyond" if excess > 0 else "within"
