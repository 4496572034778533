"""The forest plot."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from math import inf

import pytest

from harness.report.content import ReportContent
from harness.report.forest import NARROW, WIDE, Layout, axis_range, render_forest
from harness.report.rules import rule_name
from tests.report.fixtures import pair, rule
from tests.report.hostile import hostile_pair


@pytest.mark.parametrize("layout", [WIDE, NARROW], ids=lambda layout: layout.name)
def test_the_drawing_is_the_same_each_time_and_fit_for_a_strict_page(layout: Layout) -> None:
    report = ReportContent(*pair("BLOCK"))
    drawn = render_forest(report.rules, layout)
    assert drawn == render_forest(report.rules, layout)
    assert drawn.startswith("<svg")
    for banned in ("style=", "<style", "xlink", "http:", "https:", "<script", "<metadata"):
        assert banned not in drawn
    ids = re.findall(r' id="([^"]+)"', drawn)
    assert len(ids) == len(set(ids))
    assert all(name.startswith(f"forest-{layout.name}-") for name in ids)
    assert all(name in ids for name in re.findall(r'href="#([^"]+)"', drawn))


def test_every_rule_with_numbers_is_drawn_and_told() -> None:
    report = ReportContent(*pair("INCONCLUSIVE"))
    root = ET.fromstring(render_forest(report.rules))
    texts = [element.text for element in root.iter("text")]
    for found in report.rules:
        assert (rule_name(found) in texts) == (found.estimate is not None)
    told = root.findtext("desc") or ""
    assert "support.tone.adherence: +1.0 points (−6.2 to +8.1 points), inconclusive" in told
    assert (root.get("role"), root.get("class")) == ("img", "forest")
    assert root.get("aria-labelledby") == "forest-wide-title forest-wide-desc"


def test_scales_stand_in_panels_of_their_own() -> None:
    drawn = render_forest(pair("PROMOTE")[0].rules)
    for title in ("percentage points", "The candidate's own value, %", "Candidate divided by"):
        assert title in drawn


def test_a_hostile_name_is_text_and_never_a_formula() -> None:
    root = ET.fromstring(render_forest(hostile_pair()[0].rules))
    assert any("<script>" in (element.text or "") for element in root.iter("text"))
    assert not list(root.iter("script"))


def test_what_is_infinite_ends_at_the_end_of_the_axis() -> None:
    found = next(rule for rule in pair("BLOCK")[0].rules if rule.require == "ratio_at_most")
    endless = found.model_copy(update={"estimate": inf, "ci_high": inf})
    finite = found.model_copy(update={"estimate": found.ci_low, "ci_high": None})
    assert axis_range([endless]) == axis_range([finite])
    drawn = render_forest([endless.model_copy(update={"ci_low": inf})])
    assert "inf" not in drawn
    assert "latency.ttft_p95: ∞, pass" in drawn


def test_no_numbers_no_drawing() -> None:
    assert render_forest(()) == ""
    assert render_forest([rule("s.a.f1", "at_least", "invalid", "r")]) == ""


def test_an_axis_holds_everything_drawn_in_it() -> None:
    rules = [rule for rule in pair("BLOCK")[0].rules if rule.estimate is not None]
    for found in rules:
        low, high = axis_range([found])
        factor = {"latency.ttft_p95": 1.0}.get(found.metric or "", 100.0)
        for value in (found.estimate, found.ci_low, found.ci_high, found.limit):
            assert value is None or low < factor * value < high
    none = {"estimate": 0.0, "ci_low": 0.0, "ci_high": 0.0, "limit": 0.0}
    low, high = axis_range([rules[0].model_copy(update=none)])
    assert high - low >= 4


@pytest.mark.parametrize("layout", [WIDE, NARROW], ids=lambda layout: layout.name)
def test_a_name_that_is_cut_shows_both_ends_and_can_be_read_whole(layout: Layout) -> None:
    name = f"support.{'a_very_long_section_' * 4}of_deliveries.accuracy"
    found = rule(name, "at_least", "pass", "", estimate=0.9, ci_low=0.8, ci_high=1.0, limit=0.7)
    root = ET.fromstring(render_forest([found], layout))
    (text,) = [element for element in root.iter("text") if element.find("title") is not None]
    assert re.search("support.*….*accuracy", text.text or "")
    assert text.findtext("title") == name
    assert (root.findtext("desc") or "").startswith(f"{name}: ")
