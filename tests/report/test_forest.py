"""The forest plot."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from math import inf

import pytest

from harness.report.forest import NARROW, WIDE, Layout, axis_range, render_forest
from harness.report.view import build_view
from tests.report.fixtures import pair
from tests.report.hostile import hostile_pair


@pytest.mark.parametrize("layout", [WIDE, NARROW], ids=lambda layout: layout.name)
def test_the_drawing_is_the_same_each_time_and_fit_for_a_strict_page(layout: Layout) -> None:
    view = build_view(*pair("BLOCK"))
    drawn = render_forest(view, layout)
    assert drawn == render_forest(view, layout)
    assert drawn.startswith("<svg")
    for banned in ("style=", "<style", "xlink", "http:", "https:", "<script", "<metadata"):
        assert banned not in drawn
    ids = re.findall(r' id="([^"]+)"', drawn)
    assert len(ids) == len(set(ids))
    assert all(name.startswith(f"forest-{layout.name}-") for name in ids)
    assert all(name in ids for name in re.findall(r'href="#([^"]+)"', drawn))


def test_every_rule_with_numbers_is_drawn_and_told() -> None:
    view = build_view(*pair("INCONCLUSIVE"))
    root = ET.fromstring(render_forest(view))
    texts = [element.text for element in root.iter("text")]
    for rule in view.rules:
        assert (rule.name in texts) == (rule.plot is not None)
    told = root.findtext("desc") or ""
    assert "support.tone.adherence: +1.0 pp (−6.2 to +8.1 pp), inconclusive" in told
    assert (root.get("role"), root.get("class")) == ("img", "forest")
    assert root.get("aria-labelledby") == "forest-wide-title forest-wide-desc"


def test_scales_stand_in_panels_of_their_own() -> None:
    drawn = render_forest(build_view(*pair("PROMOTE")))
    for title in ("percentage points", "The candidate's own value, %", "Candidate divided by"):
        assert title in drawn


def test_a_hostile_name_is_text_and_never_a_formula() -> None:
    root = ET.fromstring(render_forest(build_view(*hostile_pair())))
    assert any("<script>" in (element.text or "") for element in root.iter("text"))
    assert not list(root.iter("script"))


def test_what_is_infinite_ends_at_the_end_of_the_axis() -> None:
    view = build_view(*pair("BLOCK"))
    plot = next(rule.plot for rule in view.rules if rule.plot and rule.plot.kind == "ratio")
    endless = replace(plot, estimate=inf, high=inf, numbers="∞")
    assert axis_range([endless]) == axis_range([replace(plot, estimate=plot.low, high=None)])
    drawn = render_forest(replace(view, rules=(replace(view.rules[0], plot=endless),)))
    assert "inf" not in drawn.replace("inconclusive", "")
    assert "latency.ttft_p95: ∞, pass" in drawn


def test_no_numbers_no_drawing() -> None:
    view = build_view(*pair("PROMOTE"))
    assert render_forest(replace(view, rules=())) == ""


def test_an_axis_holds_everything_drawn_in_it() -> None:
    rows = [rule.plot for rule in build_view(*pair("BLOCK")).rules if rule.plot]
    for row in rows:
        low, high = axis_range([row])
        for value in (row.estimate, row.low, row.high, row.limit):
            assert value is None or low < value < high
    alone = replace(rows[0], estimate=0.0, low=0.0, high=0.0, limit=0.0)
    low, high = axis_range([alone])
    assert high - low >= 4
