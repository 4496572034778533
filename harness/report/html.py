"""The HTML pages: each one file that loads nothing and runs nothing but its own small script."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any

from harness.report.forest import NARROW, WIDE, render_forest
from harness.report.latency.html import draw_latency
from harness.report.latency.model import LatencyView
from harness.report.latency.words import CONTROL, INFINITE, TERMS
from harness.report.listing import build_listing
from harness.report.model import ReportView

_TEMPLATES = Path(__file__).parent / "templates"
# In this order each finds what it needs of those before it.
_SCRIPTS = ("entries.js", "filter.js", "links.js", "keys.js", "print.js")
_STYLES = ("report.css", "cases.css")


def render_html(view: ReportView) -> str:
    """The whole page; its Content-Security-Policy allows only its own style and script blocks."""
    from markupsafe import Markup

    parts = "\n".join((_TEMPLATES / name).read_text(encoding="utf-8") for name in _SCRIPTS)
    return _render(
        "report.html.j2",
        f'"use strict";\n(() => {{\n{parts}}})();\n',
        view=view,
        listing=build_listing(view),
        drawings=draw_latency(view.latency) if view.latency else (),
        # Cleaned drawings whose texts an XML writer has escaped.
        wide=Markup(render_forest(view, WIDE)),  # noqa: S704
        narrow=Markup(render_forest(view, NARROW)),  # noqa: S704
    )


def render_latency_html(view: LatencyView) -> str:
    """A measurement of latency as a page of its own, without any script."""
    return _render("latency_page.html.j2", "", view=view, drawings=draw_latency(view))


def _render(template: str, script: str, **shown: Any) -> str:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style = "\n".join((_TEMPLATES / name).read_text(encoding="utf-8") for name in _STYLES)
    return environment.get_template(template).render(
        policy=content_policy(style, script),
        # Ours, not a model's: files beside the template.
        style=Markup(style),  # noqa: S704
        script=Markup(script),  # noqa: S704
        words={"terms": TERMS, "control": CONTROL, "infinite": INFINITE},
        **shown,
    )


def content_policy(style: str, script: str) -> str:
    """The Content-Security-Policy that lets exactly these inline blocks through (CSP 3).

    Without a script none may run.
    """
    return "; ".join(
        (
            "default-src 'none'",
            f"style-src '{_source_hash(style)}'",
            f"script-src '{_source_hash(script) if script else 'none'}'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def _source_hash(block: str) -> str:
    digest = hashlib.sha256(block.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"
