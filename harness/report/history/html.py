"""The page on a suite's history: one file that loads nothing and runs nothing."""

from __future__ import annotations

from harness.report.history.model import HistoryView
from harness.report.history_drawing import LAYOUTS, Frame, render_course, render_verdicts
from harness.report.page import render_page


def render_history_html(view: HistoryView) -> str:
    """The whole page."""
    from markupsafe import Markup

    frames = [Frame(view, size) for size in LAYOUTS]
    # Cleaned drawings whose texts an XML writer has escaped.
    verdicts = [Markup(render_verdicts(frame)) for frame in frames]  # noqa: S704
    courses = [
        [Markup(render_course(frame, place)) for frame in frames]  # noqa: S704
        for place in range(len(view.courses))
    ]
    return render_page(
        "history.html.j2",
        ("report.css", "history.css"),
        view=view,
        verdicts=verdicts,
        courses=courses,
    )
