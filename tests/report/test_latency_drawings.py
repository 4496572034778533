"""The drawings of a measurement of latency."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.records.latency import LoadResult
from harness.report import formats
from harness.report.forest import Layout
from harness.report.latency_content import LatencyContent, in_words, metric_title, ratio_rule, span
from harness.report.latency_drawings import (
    NARROW,
    RATIO_LAYOUTS,
    WIDE,
    draw_latency,
    ratio_range,
    ratio_ticks,
    render_course,
    render_ecdf,
    render_ratios,
    tick_time,
)
from harness.svg_axes import log_ticks
from tests.report.measured import Kind, hostile_section, load, measured, section

SLO = 0.25


def first(kind: Kind) -> LoadResult:
    return measured(kind)[0].loads[0]


def ratios(kind: Kind, layout: Layout) -> str:
    made, rules = measured(kind)
    return render_ratios(made.loads[0], rules, 1, layout)


def texts(drawn: str) -> list[str]:
    return [element.text or "" for element in ET.fromstring(drawn).iter("text")]


def strokes(drawn: str) -> set[str]:
    return set(
        re.findall(r"(?:stroke|fill)-(candidate|baseline|control|invalid|pass|fail)\b", drawn)
    )


def test_drawings_are_the_same_each_time_and_fit_for_a_strict_page() -> None:
    made, rules = measured("fail")
    latency = LatencyContent(made, "good", "base", rules)
    drawn = draw_latency(latency)
    assert drawn == draw_latency(latency)
    all_of_it = "".join((*drawn[0].ratios, *drawn[0].ecdf, *drawn[0].course))
    assert all_of_it.count("<svg") == 6
    for banned in ("style=", "<style", "xlink", "http:", "https:", "<script", "<metadata"):
        assert banned not in all_of_it
    ids = re.findall(r' id="([^"]+)"', all_of_it)
    assert len(ids) == len(set(ids))
    assert all(name in ids for name in re.findall(r'href="#([^"]+)"', all_of_it))


def test_the_distribution_has_every_arm_and_the_slo() -> None:
    drawn = render_ecdf(first("fail"), SLO, 1, WIDE)
    assert strokes(drawn) == {"candidate", "baseline", "control"}
    assert "SLO 250 ms" in texts(drawn)
    told = ET.fromstring(drawn).findtext("desc") or ""
    assert "candidate: half within 125 ms, 95% within 238 ms" in told
    assert "the SLO is 250 ms" in told


def test_without_an_slo_no_line_stands_for_it() -> None:
    assert not any("SLO" in text for text in texts(render_ecdf(load(), None, 1, WIDE)))


def test_a_curve_that_never_ends_is_told_as_infinite() -> None:
    made = load(lost={"timeout": 120})
    told = ET.fromstring(render_ecdf(made, SLO, 1, NARROW)).findtext("desc") or ""
    assert "candidate: half within 100 ms, 95% within ∞" in told


def test_the_course_marks_blocks_that_are_beyond_every_bound() -> None:
    drawn = render_course(first("fail"), 1, WIDE)
    assert texts(drawn).count("∞") == 1
    told = ET.fromstring(drawn).findtext("desc") or ""
    assert re.search(r"candidate: 20 blocks, \d+ to \d+ ms, 1 block beyond every bound", told)
    assert texts(render_course(first("pass"), 1, WIDE)).count("∞") == 0


def test_a_ratio_is_coloured_by_where_it_lies_and_not_at_all_where_nothing_is_trusted() -> None:
    assert "fail" in strokes(ratios("fail", RATIO_LAYOUTS[0]))
    assert "pass" in strokes(ratios("pass", RATIO_LAYOUTS[0]))
    untrusted = strokes(ratios("invalid", RATIO_LAYOUTS[1]))
    assert "invalid" in untrusted
    assert not untrusted & {"pass", "fail"}


def test_every_ratio_is_drawn_and_told() -> None:
    for size in RATIO_LAYOUTS:
        drawn = ratios("fail", size)
        told = ET.fromstring(drawn).findtext("desc") or ""
        for metric in first("fail").metrics:
            name = metric_title(metric)
            assert name in texts(drawn)
            assert f"{name}: {in_words(span(metric.ratio, formats.ratio))}" in told


def test_nothing_to_draw_no_drawing() -> None:
    empty = load(metrics=(), arms=(), medians=(), ecdf={})
    for drawings in draw_latency(LatencyContent(section(empty), "good", "base", ())):
        assert {*drawings.ratios, *drawings.ecdf, *drawings.course} == {""}
    assert render_ratios(empty, (), 1, RATIO_LAYOUTS[0]) == ""


def test_hostile_names_are_text() -> None:
    drawn = render_ratios(hostile_section().loads[0], (), 1, RATIO_LAYOUTS[0])
    assert any("<script>" in text for text in texts(drawn))
    assert not list(ET.fromstring(drawn).iter("script"))


def test_the_axis_of_ratios_holds_one_every_limit_and_all_that_is_finite() -> None:
    for kind in ("pass", "fail", "inconclusive"):
        made, rules = measured(kind)  # type: ignore[arg-type]
        rows = [(metric, ratio_rule(metric, rules)) for metric in made.loads[0].metrics]
        low, high = ratio_range(rows)
        assert low < 1.0 < high < float("inf")
        for metric, rule in rows:
            for value in (metric.ratio.low, metric.ratio.high, rule.limit if rule else None):
                assert value is None or low < value < high


@given(low=st.floats(0.001, 0.99), high=st.floats(1.01, 500.0), most=st.sampled_from([5, 9]))
def test_ticks_of_ratios_lie_on_the_axis_and_one_is_among_them(
    low: float, high: float, most: int
) -> None:
    ticks = ratio_ticks(low, high, most)
    assert 1.0 in ticks
    assert ticks == sorted(ticks)
    assert all(low <= tick <= high for tick in ticks)
    assert len(ticks) <= most + 1


@given(low=st.floats(1e-4, 10.0), factor=st.floats(12.5, 1e5), most=st.integers(3, 7))
def test_ticks_of_a_wide_axis_are_few_and_in_order(low: float, factor: float, most: int) -> None:
    high = low * factor
    ticks = log_ticks(low, high, most)
    assert 1 <= len(ticks) <= most
    assert all(low <= tick <= high for tick in ticks)
    assert all(before < after for before, after in pairwise(ticks))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "0 ms"),
        (0.0025, "2.5 ms"),
        (0.3, "300 ms"),
        (1.0, "1 s"),
        (2.5, "2.5 s"),
        (30, "30 s"),
    ],
)
def test_a_time_on_an_axis(seconds: float, text: str) -> None:
    assert tick_time(seconds) == text
