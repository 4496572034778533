from __future__ import annotations

import pytest

from tests.gate.rules.making import MILES, NAME, NATS, SHARE, around, compared, rule

LOW, HIGH = around(2.0, 0.2, 1), around(3.0, 0.2, 2)


@pytest.mark.parametrize(("limit", "outcome"), [(2.0, "pass"), (1.2, "fail")])
def test_a_ratio_is_the_same_in_any_unit(limit: float, outcome: str) -> None:
    found = rule("ratio_at_most", value=limit, cap=4.0).judge(compared(HIGH, LOW, NATS), 0.05)
    share = rule("ratio_at_most", value=limit).judge(compared(HIGH / 4, LOW / 4, SHARE), 0.05)
    assert (found.outcome, share.outcome) == (outcome, outcome)
    assert (found.estimate, found.ci_low, found.ci_high) == pytest.approx(
        (share.estimate, share.ci_low, share.ci_high)
    )


def test_what_can_be_negative_has_no_ratio() -> None:
    wrong = rule("ratio_at_most", value=1.1, cap=4.0).misfit({NAME: MILES})
    assert wrong is not None
    assert (wrong.key, "negative" in wrong.problem) == ("require", True)


def test_a_ratio_to_a_baseline_of_nothing_is_invalid_and_breaks_nothing() -> None:
    limit = rule("ratio_at_most", value=2.0, cap=4.0)
    nothing = compared(HIGH, 0.0 * LOW, NATS)
    judged = limit.judge(nothing, 0.05)
    assert (judged.outcome, "the baseline's mean is 0" in judged.reason) == ("invalid", True)
    assert "the baseline's mean is 0" in limit.power(nothing, 0.05).reason
