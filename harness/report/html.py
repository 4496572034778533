"""The HTML pages: each one file that loads nothing and runs nothing but its own small script."""

from __future__ import annotations

from harness.report.forest import NARROW, WIDE, render_forest
from harness.report.latency.model import LatencyView
from harness.report.latency.words import CONTROL, INFINITE, TERMS
from harness.report.latency_drawings import draw_latency
from harness.report.listing import build_listing
from harness.report.model import ReportView
from harness.report.page import render_page

_SCRIPTS = ("entries.js", "filter.js", "links.js", "keys.js", "print.js")
_STYLES = ("report.css", "cases.css")
_WORDS = {"terms": TERMS, "control": CONTROL, "infinite": INFINITE}


def render_html(view: ReportView) -> str:
    """The whole page; its Content-Security-Policy allows only its own style and script blocks."""
    from markupsafe import Markup

    return render_page(
        "report.html.j2",
        _STYLES,
        _SCRIPTS,
        words=_WORDS,
        view=view,
        listing=build_listing(view),
        drawings=draw_latency(view.latency) if view.latency else (),
        # Cleaned drawings whose texts an XML writer has escaped.
        wide=Markup(render_forest(view, WIDE)),  # noqa: S704
        narrow=Markup(render_forest(view, NARROW)),  # noqa: S704
    )


def render_latency_html(view: LatencyView) -> str:
    """A measurement of latency as a page of its own, without any script."""
    return render_page(
        "latency_page.html.j2", _STYLES, words=_WORDS, view=view, drawings=draw_latency(view)
    )
