"""A page from its template and its blocks, under a policy that admits nothing else."""

from __future__ import annotations

import base64
import functools
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment

_TEMPLATES = Path(__file__).parent / "templates"


def render_page(
    template: str, styles: Sequence[str], scripts: Sequence[str] = (), **shown: Any
) -> str:
    """A whole page in one file; `styles` and `scripts` are files that stand beside the template.

    The scripts share a scope, in which each finds what it needs of those before it.
    """
    from markupsafe import Markup

    style, parts = _joined(styles), _joined(scripts)
    script = f'"use strict";\n(() => {{\n{parts}}})();\n' if scripts else ""
    page = _environment().get_template(template)
    return page.render(
        policy=_content_policy(style, script),
        # Ours, not a model's: files beside the template.
        style=Markup(style),  # noqa: S704
        script=Markup(script),  # noqa: S704
        **shown,
    )


@functools.cache
def _environment() -> Environment:
    """What keeps the compiled templates, for all pages of a process."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _joined(names: Sequence[str]) -> str:
    return "\n".join((_TEMPLATES / name).read_text(encoding="utf-8") for name in names)


def _content_policy(style: str, script: str) -> str:
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
