from __future__ import annotations

import pytest

from tests.gate.rules.making import LEVEL, NAME, NATS, SHARE, around, compared, rule

LOW, HIGH = around(2.0, 0.2, 1), around(3.0, 0.2, 2)


@pytest.mark.parametrize(
    ("candidate", "baseline", "by", "outcome"),
    [
        (LOW, HIGH, 0.5, "pass"),
        (LOW, HIGH, 1.5, "fail"),
        (HIGH, LOW, 0.0, "fail"),
    ],
)
def test_where_lower_is_better_a_fall_is_the_gain(
    candidate: object, baseline: object, by: float, outcome: str
) -> None:
    found = rule("better_than_baseline", by=by, cap=4.0).judge(
        compared(candidate, baseline, NATS),
        0.05,  # type: ignore[arg-type]
    )
    assert (found.outcome, found.limit) == (outcome, -by)
    assert found.estimate == pytest.approx(found.candidate - found.baseline)  # type: ignore[operator]


def test_the_reason_tells_the_unit() -> None:
    found = rule("better_than_baseline", cap=4.0).judge(compared(LOW, HIGH, NATS), 0.05)
    assert found.reason.startswith(f"{NAME} is better than the baseline: -0.9")
    assert found.reason.endswith("] nats/token")


def test_power_is_in_the_metrics_unit() -> None:
    kind = rule("better_than_baseline", by=0.25)
    wide = kind.power(compared(HIGH, LOW, LEVEL), 0.05)
    unit = kind.power(compared((HIGH - 1) / 4, (LOW - 1) / 4, SHARE), 0.05)
    assert wide.detectable == pytest.approx(4 * unit.detectable)  # type: ignore[operator]
    assert wide.room == pytest.approx((HIGH - LOW).mean() - 0.25)


def test_more_than_the_range_is_never_gained() -> None:
    wrong = rule("better_than_baseline", by=1.5).misfit({NAME: SHARE})
    assert wrong is not None
    assert (wrong.key, wrong.hint) == ("by", "write a number between 0 and 1")
    assert rule("better_than_baseline", by=3.5).misfit({NAME: LEVEL}) is None
