"""What all rules on a metric do: caps on values without bounds, and cases without a score."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from harness.records.metric import Metric
from harness.records.rule import Planned, Policy
from tests.gate.rules.making import CASES, MILES, NAME, NATS, SHARE, around, compared, rule

LOW, HIGH = around(2.0, 0.2, 1), around(3.0, 0.2, 2)
EVERY = [
    ("better_than_baseline", {}),
    ("no_worse_than_baseline", {"margin": 0.1}),
    ("at_least", {"value": 0.5}),
    ("at_most", {"value": 0.5}),
    ("ratio_at_most", {"value": 1.1}),
]


@pytest.mark.parametrize(("require", "keys"), EVERY)
def test_a_metric_without_bounds_needs_a_cap(require: str, keys: dict[str, float]) -> None:
    wrong = rule(require, **keys).misfit({NAME: NATS})
    assert wrong is not None
    assert (wrong.key, "needs a cap" in wrong.problem) == ("cap", True)
    capped = rule(require, cap=10.0, **keys).misfit({NAME: NATS})
    assert capped is None or capped.hint == "write at_most"
    found = rule(require, **keys).judge(compared(LOW, HIGH, NATS), 0.05)
    assert found.outcome == "invalid"


def test_a_metric_with_bounds_takes_no_cap() -> None:
    wrong = rule("at_least", value=0.5, cap=0.9).misfit({NAME: SHARE})
    assert wrong is not None
    assert wrong.key == "cap"


def test_values_beyond_the_cap_are_cut_and_counted() -> None:
    far = LOW.copy()
    far[:3] = 1000.0
    kind = rule("no_worse_than_baseline", margin=0.5, cap=4.0)
    found = kind.judge(compared(far, LOW, NATS), 0.05)
    expected = (np.minimum(far, 4.0).mean(), LOW.mean())
    assert (found.candidate, found.baseline) == pytest.approx(expected)
    assert (found.outcome, found.cap, found.cut) == ("pass", 4.0, 3)
    assert found.reason.endswith(" nats/token; 3 values beyond the cap of 4 cut")


def test_a_metric_without_any_bound_is_cut_on_both_sides() -> None:
    far = LOW.copy()
    far[:2] = 1000.0, -1000.0
    found = rule("better_than_baseline", cap=4.0).judge(compared(far, LOW, MILES), 0.05)
    assert found.cut == 2
    assert found.candidate == pytest.approx(np.clip(far, -4.0, 4.0).mean())


def test_what_has_bounds_and_lies_beyond_them_is_no_evidence() -> None:
    found = rule("better_than_baseline").judge(
        compared(LOW, HIGH, Metric(name="m", high=2.5, unit="level")), 0.05
    )
    assert (found.outcome, found.cut) == ("invalid", None)


def test_the_bound_holds_where_values_are_cut() -> None:
    """The cap is what one more case could be worth: a wider one gives wider bounds."""
    narrow, wide = (
        rule("better_than_baseline", cap=cap).judge(compared(LOW, HIGH, NATS), 0.05)
        for cap in (4.0, 400.0)
    )
    assert narrow.estimate == pytest.approx(wide.estimate)
    assert wide.ci_high > narrow.ci_high  # type: ignore[operator]


def test_only_a_cap_that_is_given_is_written_down() -> None:
    policy = Policy.model_validate(
        {
            "baseline": "b",
            "rules": [
                {"metric": "s.x.m", "require": "at_least", "value": 0.5},
                {"metric": "s.x.n", "require": "at_most", "value": 0.5, "cap": 7},
            ],
        }
    )
    plain, capped = policy.model_dump(mode="json")["rules"]
    assert "cap" not in plain
    assert capped["cap"] == 7
    found = rule("at_least", value=0.5).judge(compared(np.ones(CASES), np.ones(CASES)), 0.05)
    assert not {"cap", "cut", "definition"} & set(found.model_dump())
    assert not {"cap", "cut", "definition"} & set(found.model_dump(mode="json"))


def test_a_result_tells_what_its_metric_means() -> None:
    found = rule("at_most", value=3.0, cap=4.0).judge(compared(LOW, HIGH, NATS), 0.05)
    assert found.definition == NATS
    again = type(found).model_validate_json(found.model_dump_json())
    assert again == found


@pytest.mark.parametrize(("require", "keys"), EVERY)
@pytest.mark.parametrize("better", [True, False])
def test_what_needs_an_audit_decides_nothing_by_its_scorers_word(
    require: str, keys: dict[str, float], better: bool
) -> None:
    judged = Metric(name="m", needs_audit=True)
    high, low = np.full(CASES, 0.9), np.full(CASES, 0.1)
    both = compared(high, low, judged) if better else compared(low, high, judged)
    found = rule(require, **keys).judge(both, 0.05)
    assert found.outcome == "inconclusive"
    assert "write `evidence: scorer`" in found.reason
    trusted = rule(require, evidence="scorer", **keys)
    assert trusted.judge(both, 0.05).reason.endswith("whose errors are not in the interval")
    assert not rule(require, **keys).power(both, 0.05).possible
    planned = Planned(judged, Counter(map(str, range(CASES))), 0.1)
    assert not rule(require, **keys).planned_power(planned, 0.05).possible
    assert rule(require, **keys).vacuous(planned, 0.05) == ""


def test_trust_in_a_scorer_is_written_only_where_it_is_given() -> None:
    plain = rule("better_than_baseline")
    assert "evidence" not in plain.model_dump()
    assert rule("better_than_baseline", evidence="scorer").model_dump()["evidence"] == "scorer"
    with pytest.raises(ValueError, match="evidence"):
        rule("better_than_baseline", evidence="point")
