"""The HTML page: one file that loads nothing and runs nothing but its own small script."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

from harness.report.forest import NARROW, WIDE, render_forest
from harness.report.model import ReportView

_TEMPLATES = Path(__file__).parent / "templates"


def render_html(view: ReportView) -> str:
    """The whole page; its Content-Security-Policy allows only its own style and script blocks."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style = (_TEMPLATES / "report.css").read_text(encoding="utf-8")
    script = (_TEMPLATES / "report.js").read_text(encoding="utf-8")
    return environment.get_template("report.html.j2").render(
        view=view,
        policy=content_policy(style, script),
        # Ours, not a model's: the two files beside the template, and a cleaned drawing whose
        # texts an XML writer has escaped.
        style=Markup(style),  # noqa: S704
        script=Markup(script),  # noqa: S704
        wide=Markup(render_forest(view, WIDE)),  # noqa: S704
        narrow=Markup(render_forest(view, NARROW)),  # noqa: S704
    )


def content_policy(style: str, script: str) -> str:
    """The Content-Security-Policy that lets exactly these two inline blocks through (CSP 3)."""
    return "; ".join(
        (
            "default-src 'none'",
            f"style-src '{_source_hash(style)}'",
            f"script-src '{_source_hash(script)}'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def _source_hash(block: str) -> str:
    digest = hashlib.sha256(block.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"
