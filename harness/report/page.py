"""A page from its template and its style sheets, under a policy that admits nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.report.html import content_policy

_TEMPLATES = Path(__file__).parent / "templates"


def render_page(template: str, *styles: str, **shown: Any) -> str:
    """A whole page without any script; `styles` are files that stand beside the template."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style = "".join((_TEMPLATES / name).read_text(encoding="utf-8") for name in styles)
    # Ours, not a model's: files beside the template.
    return environment.get_template(template).render(
        policy=content_policy(style, ""),
        style=Markup(style),  # noqa: S704
        script="",
        **shown,
    )
