from __future__ import annotations

import pytest

from harness.records.rule import kind_of
from tests.gate.rules.making import LEVEL, NAME, NATS, SHARE, around, compared, rule

LOW, HIGH = around(2.0, 0.2, 1), around(3.0, 0.2, 2)


@pytest.mark.parametrize(
    ("margin", "outcome"), [(0.5, "fail"), (1.5, "pass"), (1.02, "inconclusive")]
)
def test_where_lower_is_better_a_rise_is_the_loss(margin: float, outcome: str) -> None:
    found = rule("no_worse_than_baseline", margin=margin, cap=4.0).judge(
        compared(HIGH, LOW, NATS), 0.05
    )
    assert (found.outcome, found.limit) == (outcome, margin)
    assert not kind_of(found).good_above(found)


def test_a_gain_is_no_loss_whichever_way_the_metric_goes() -> None:
    kind = rule("no_worse_than_baseline", margin=0.0, cap=4.0)
    assert kind.judge(compared(LOW, HIGH, NATS), 0.05).outcome == "pass"
    bounded = rule("no_worse_than_baseline", margin=0.0)
    assert bounded.judge(compared(HIGH, LOW, LEVEL), 0.05).outcome == "pass"


def test_a_metric_with_bounds_of_its_own_is_judged_as_its_share_of_them() -> None:
    kind, scaled = (rule("no_worse_than_baseline", margin=margin) for margin in (0.4, 0.1))
    ours = kind.judge(compared(LOW, HIGH, LEVEL), 0.05)
    share = scaled.judge(compared((LOW - 1) / 4, (HIGH - 1) / 4, SHARE), 0.05)
    assert (ours.outcome, ours.p_value) == (share.outcome, share.p_value)
    numbers = (share.estimate, share.ci_low, share.ci_high, share.limit)
    expected = [4 * value for value in numbers if value is not None]
    assert [ours.estimate, ours.ci_low, ours.ci_high, ours.limit] == pytest.approx(expected)


def test_a_margin_too_fine_is_told_as_a_rise_where_lower_is_better() -> None:
    kind = rule("no_worse_than_baseline", margin=0.001, cap=4.0)
    comparison = compared(HIGH, LOW, NATS)
    found = kind.judge(comparison, 0.05).model_copy(
        update={"detectable": kind.power(comparison, 0.05).detectable}
    )
    told = kind_of(found).shortfall(found, lambda value: f"{value:.3f}")
    assert told.startswith("200 groups can only show a rise of at least 0.")


def test_a_margin_may_exceed_1_where_the_range_does() -> None:
    assert rule("no_worse_than_baseline", margin=2.0).misfit({NAME: LEVEL}) is None
    wrong = rule("no_worse_than_baseline", margin=2.0).misfit({NAME: SHARE})
    assert wrong is not None
    assert wrong.key == "margin"
