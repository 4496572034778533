"""The HTML reports: each is one file that loads nothing and runs only its own script."""

from __future__ import annotations

from harness.report import forest, history_drawing
from harness.report.case_list import build_case_list
from harness.report.content import ReportContent
from harness.report.history_text import HistoryContent
from harness.report.latency_content import LatencyContent
from harness.report.latency_drawings import draw_latency
from harness.report.leaderboard_content import GAP_LAYOUTS, LeaderboardContent, render_gaps
from harness.report.rendering import render_page
from harness.report.runs import provenance, system_prompts

_SCRIPTS = ("entries.js", "filter.js", "links.js", "keys.js", "print.js")
_STYLES = ("report.css", "cases.css")


def render_html(report: ReportContent) -> str:
    """The report on a verdict; its policy allows only its own style and script blocks."""
    latency = report.latency
    return render_page(
        "report.html.j2",
        _STYLES,
        _SCRIPTS,
        report=report,
        verdict=report.verdict,
        latency=latency,
        listing=build_case_list(report),
        prompts=system_prompts(report.comparison),
        provenance=provenance(report.comparison),
        drawings=draw_latency(latency) if latency else (),
        forest=[
            forest.render_forest(report.rules, layout) for layout in (forest.WIDE, forest.NARROW)
        ],
    )


def render_latency_html(latency: LatencyContent) -> str:
    """A measurement of latency as a page of its own, without any script."""
    return render_page(
        "latency_page.html.j2", _STYLES, latency=latency, drawings=draw_latency(latency)
    )


def render_history_html(content: HistoryContent) -> str:
    """The page on a suite's history, without any script."""
    frames = [history_drawing.Frame(content, layout) for layout in history_drawing.LAYOUTS]
    return render_page(
        "history.html.j2",
        ("report.css", "history.css"),
        content=content,
        lanes=[history_drawing.render_verdicts(frame) for frame in frames],
        drawings=[
            [history_drawing.render_course(frame, place) for frame in frames]
            for place in range(len(content.courses))
        ],
    )


def render_leaderboard_html(content: LeaderboardContent) -> str:
    """The page that shows several candidates side by side, without any script."""
    return render_page(
        "leaderboard.html.j2",
        ("report.css", "leaderboard.css"),
        content=content,
        gaps=[render_gaps(content, layout) for layout in GAP_LAYOUTS],
    )
