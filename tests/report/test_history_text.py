"""What a report tells of a history."""

from __future__ import annotations

from datetime import timedelta

import pytest

from harness.clock import iso
from harness.gate.history import history
from harness.records.history import History, Promotion, Values
from harness.report.history_drawing import points_of
from harness.report.history_text import HistoryContent
from harness.report.html import render_history_html
from harness.report.rendering import render_text
from tests.report.history_fixtures import FIRST, GOLD, SCOPE, kept, made, result, verdict

DAY = timedelta(days=1)


def of(*rules: object, **more: object) -> History:
    return history("support", [kept(verdict(rules=rules), **more)], [], [])  # type: ignore[arg-type]


PLACES = [
    # require, limit, (candidate, baseline), where low, high and limit lie among the values in %
    ("at_least", 0.8, (0.9, 0.5), (86, 94, 80), True),
    ("at_most", 0.95, (0.9, 0.5), (86, 94, 95), False),
    ("better_than_baseline", 0.1, (0.9, 0.5), (86, 94, 60), True),
    ("no_worse_than_baseline", -0.05, (0.48, 0.5), (44, 52, 45), True),
    ("ratio_at_most", 1.5, (0.6, 0.5), (58, 62, 75), False),
]


@pytest.mark.parametrize(("require", "limit", "values", "places", "above"), PLACES)
def test_bounds_and_limits_lie_on_the_axis_of_values(
    require: str, limit: float, values: tuple[float, float], places: tuple[float, ...], above: bool
) -> None:
    (course,) = HistoryContent(of(result(GOLD, require, limit, values))).courses
    (point,) = points_of(course)
    assert (point.low, point.high, point.limit) == pytest.approx(places)
    assert (point.value, point.baseline) == pytest.approx((100 * values[0], 100 * values[1]))
    assert point.good_above == above


@pytest.mark.parametrize("order", [1, -1])
def test_of_several_rules_the_worst_speaks_and_all_are_listed(order: int) -> None:
    rules = (
        result(GOLD, "better_than_baseline", 0.0, (0.9, 0.5)),
        result(GOLD, "at_least", 0.99, (0.9, 0.5)),
    )[::order]
    content = HistoryContent(of(*rules))
    (course,) = content.courses
    assert points_of(course)[0].outcome == "fail"
    assert [row.rule.outcome for row in course.rows if row.rule] == ["pass", "fail"][::order]
    told = "90.0% at the latest gate, the baseline 50.0%, fail"
    assert course.latest == told
    assert told in render_history_html(content)
    assert "| 90.0% | 50.0% | ❌ fail | 1 |" in render_text("history.md.j2", content=content)


def test_a_metric_without_a_rule_is_a_point_without_bounds() -> None:
    more = {"support.gold.f1": Values(candidate=0.5, baseline=0.25)}
    course = HistoryContent(of(result(GOLD, "at_least", 0.8, (0.9, 0.5)), **more)).courses[1]
    (point,) = points_of(course)
    assert (point.low, point.high, point.limit, point.outcome) == (None, None, None, None)
    assert (course.rows[0].values, course.rows[0].rule) == (("50.0%", "25.0%"), None)


def test_a_change_of_the_suite_is_marked_between_its_gates() -> None:
    gates = [kept(verdict(FIRST + n * DAY, candidate=f"c{n}"), v) for n, v in enumerate("aab")]
    content = HistoryContent(history("support", gates, [], []))
    (mark,) = content.marks
    assert mark.at == FIRST + 1.5 * DAY
    assert not mark.is_promotion
    assert [row.changed for row in content.gates] == [True, False, False]
    assert [row.changed for row in content.courses[0].rows] == [True, False, False]
    assert content.versions == 2


def test_a_promotion_is_marked_when_it_was_sealed() -> None:
    found = of(result(GOLD, "at_least", 0.8, (0.9, 0.5)))
    sealed = Promotion(name="v1", sealed=iso(FIRST + DAY))
    gate = found.gates[0].model_copy(update={"promotions": (sealed,)})
    content = HistoryContent(found.model_copy(update={"gates": (gate,)}))
    (mark,) = content.marks
    assert (mark.at, mark.label, mark.is_promotion) == (FIRST + DAY, "v1", True)
    assert "▲ v1, 2026-03-03 09:30 UTC" in render_history_html(content)
    assert points_of(content.courses[0])[0].promoted


def test_an_invalid_gate_has_a_row_and_no_point() -> None:
    content = HistoryContent(made(8))
    scope = next(course for course in content.courses if course.name == SCOPE)
    assert scope.last.rule is not None
    assert scope.last.rule.outcome == "invalid"
    assert scope.rows[0].values == ("–", "–")
    assert len(points_of(scope)) == 7
    assert scope.latest == "no value at the latest gate, invalid"


def test_no_name_hides_anything() -> None:
    bad = "\u202ea\x00\n<script>"
    found = of(result(GOLD, "at_least", 0.8, (0.9, 0.5)))
    gate = found.gates[0].model_copy(
        update={"candidate": bad, "baseline": bad, "reason": bad, "suite_version": bad}
    )
    content = HistoryContent(found.model_copy(update={"gates": (gate,), "suite": bad}))
    page = render_history_html(content)
    assert "\u202e" not in page
    assert "\x00" not in page
    assert "<script" not in page
    assert "⟨U+202E⟩a␀ &lt;script&gt;" in page


@pytest.mark.parametrize(
    ("require", "limit", "values", "told"),
    [
        ("at_least", 0.9, (0.8333, 0.5), "at least 90.0%; it is not: 83.3% (79.3% to 87.3%)"),
        ("better_than_baseline", 0.0, (0.51, 0.5), "is better than the baseline: +1.0 points ("),
    ],
)  # fmt: skip
def test_why_has_the_numbers_in_the_unit_of_the_metric(
    require: str, limit: float, values: tuple[float, float], told: str
) -> None:
    given = verdict(rules=(result(GOLD, require, limit, values),))
    (gate,) = HistoryContent(history("support", [kept(given)], [], [])).gates
    assert told in gate.reason


def test_why_is_as_it_was_kept_where_no_rule_of_the_suite_says_it() -> None:
    doubt = "candidate and baseline gave the same text"
    given = kept(verdict(problems=(doubt,)))
    (gate,) = HistoryContent(history("support", [given], [], [])).gates
    assert gate.reason == doubt
