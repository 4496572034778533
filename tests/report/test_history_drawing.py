"""The drawings over time, as far as their SVG tells."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from harness.clock import iso
from harness.gate.history import history
from harness.records.history import Promotion
from harness.report.history_drawing import (
    LAYOUTS,
    NARROW,
    WIDE,
    Frame,
    TimeLayout,
    render_course,
    render_verdicts,
)
from harness.report.history_text import HistoryContent
from tests.report.history_fixtures import FIRST, GOLD, kept, made, result, verdict

DAY = timedelta(days=1)


def lines(svg: str, css: str) -> int:
    """How many strokes there are of that class."""
    return len(re.findall(rf'<path[^>]*class="stroke-{css}"', svg))


@pytest.mark.parametrize("size", LAYOUTS, ids=lambda size: size.name)
@pytest.mark.parametrize("count", [1, 2, 30])
def test_the_same_history_gives_the_same_drawing(size: TimeLayout, count: int) -> None:
    first, second = (render_course(Frame(HistoryContent(made(count)), size), 0) for _ in range(2))
    assert first == second
    assert "style=" not in first
    assert "nan" not in first


def test_the_line_is_not_joined_across_versions_of_the_suite() -> None:
    def drawn(versions: str) -> str:
        gates = [
            kept(verdict(FIRST + n * DAY, candidate=f"c{n}"), version)
            for n, version in enumerate(versions)
        ]
        content = HistoryContent(history("support", gates, [], []))
        (joined,) = re.findall(
            r'<path d="([^"]+)"[^>]*stroke-width="1.1"[^>]*>',
            "".join(re.findall(r"<path[^>]*>", render_course(Frame(content, WIDE), 0))),
        )[:1] or [""]
        return joined

    assert drawn("aaaa").count("L") == 3
    assert drawn("aabb").count("L") == 1


def test_labels_of_the_axis_of_time_do_not_overlap() -> None:
    """Twenty days from the end of February: the 27th and the 1st of March are ticks."""
    begin = FIRST.replace(month=2, day=26)
    gates = [kept(verdict(begin + n * DAY, candidate=f"c{n}")) for n in (0, 20)]
    svg = render_verdicts(Frame(HistoryContent(history("support", gates, [], [])), WIDE))
    found = re.findall(r'<text x="([\d.]+)"[^>]*>(\d+ [A-Z][a-z]{2}[^<]*)</text>', svg)
    assert len(found) > 2
    ends = 0.0
    for x, label in found:
        assert float(x) - 3 * len(label) > ends, label
        ends = float(x) + 3 * len(label)


def test_each_verdict_has_a_lane_that_is_named() -> None:
    svg = render_verdicts(Frame(HistoryContent(made(30)), WIDE))
    for name in ("PROMOTE", "BLOCK", "INCONCLUSIVE", "INVALID"):
        assert f">{name}</text>" in svg
    assert "run-00 " in svg, "a screen reader is told each gate"


def test_a_name_is_written_as_it_is() -> None:
    found = history("support", [kept(verdict())], [], [])
    gate = found.gates[0].model_copy(
        update={"promotions": (Promotion(name="<b>$x$</b>", sealed=iso(FIRST)),)}
    )
    content = HistoryContent(found.model_copy(update={"gates": (gate,)}))
    assert ">▲ &lt;b&gt;$x$&lt;/b&gt;</text>" in render_verdicts(Frame(content, NARROW))


def test_where_every_row_is_taken_a_mark_has_its_line_alone() -> None:
    found = history("support", [kept(verdict())], [], [])
    sealed = [
        Promotion(name=f"a-long-name-{n}", sealed=iso(FIRST + n * DAY / 999_999)) for n in range(9)
    ]
    gate = found.gates[0].model_copy(update={"promotions": tuple(sealed)})
    content = HistoryContent(found.model_copy(update={"gates": (gate,)}))
    svg = render_verdicts(Frame(content, WIDE))
    named = [n for n in range(9) if f"a-long-name-{n}<" in svg]
    assert 0 < len(named) < 9
    assert lines(svg, "candidate") == 9


@pytest.mark.parametrize("size", LAYOUTS, ids=lambda size: size.name)
@pytest.mark.parametrize("value", [0.0, 0.0004, 0.5, 0.9996, 1.0])
def test_whiskers_stay_within_the_axes(size: TimeLayout, value: float) -> None:
    """An interval of four points to each side, at the ends of a scale and away from them."""
    gates = [
        kept(verdict(FIRST + n * DAY, (result(GOLD, "at_least", 0.85, (one, 0.5)),)))
        for n, one in enumerate((value, 0.6))
    ]
    frame = Frame(HistoryContent(history("support", gates, [], [])), size)
    drawn = render_course(frame, 0)
    strokes = re.findall(
        r'<path d="M([^"Z]+)"[^>]*class="stroke-(?:pass|fail|inconclusive)"', drawn
    )
    points = [tuple(map(float, at.split())) for path in strokes for at in path.split("L")]
    assert len(points) >= 8
    assert all(frame.time.start <= x <= frame.time.end for x, _ in points)
    assert all(frame.top <= y <= frame.bottom for _, y in points)


def test_the_name_of_a_lane_is_clear_of_its_marks() -> None:
    drawn = render_verdicts(Frame(HistoryContent(made(30)), NARROW))
    words = re.findall(r'<text x="4" y="([\d.]+)"[^>]*>([A-Z]+)</text>', drawn)
    lines = re.findall(r'<path d="M52 ([\d.]+)L[^"]*"[^>]*class="stroke-line"', drawn)
    assert [word for _, word in words] == ["PROMOTE", "INCONCLUSIVE", "BLOCK", "INVALID"]
    for (y, _), line in zip(words, lines, strict=False):
        assert float(line) - float(y) > (NARROW.marker + 2) * 0.707 + 5
