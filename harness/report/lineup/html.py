"""The page that shows several candidates side by side: nothing is loaded, nothing runs."""

from __future__ import annotations

from harness.report.leaderboard_drawing import NARROW, WIDE, render_gaps
from harness.report.lineup.model import LineupView
from harness.report.page import render_page


def render_lineup_html(view: LineupView) -> str:
    """The whole page."""
    from markupsafe import Markup

    # Cleaned drawings whose texts an XML writer has escaped.
    gaps = [Markup(render_gaps(view, size)) for size in (WIDE, NARROW)]  # noqa: S704
    return render_page("lineup.html.j2", ("report.css", "lineup.css"), view=view, gaps=gaps)
