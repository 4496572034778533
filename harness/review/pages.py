"""The pages: Jinja templates in which text of models and people is never active markup."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.visible_text import visible

if TYPE_CHECKING:
    from jinja2 import Environment

_TEMPLATES = Path(__file__).parent / "templates"
# What a browser may load, by the name in its address.
STATIC = {"review.css": "text/css", "keys.js": "text/javascript"}


def page(template: str, **context: Any) -> str:
    """The page as HTML."""
    return _environment().get_template(template).render(**context)


@functools.cache
def static_file(name: str) -> bytes:
    """The content of one of `STATIC`."""
    return (_TEMPLATES / name).read_bytes()


def minutes_left(seconds: float) -> str:
    """A time as people say it."""
    minutes = max(1, round(seconds / 60.0))
    return f"{minutes} min" if minutes < 90 else f"{minutes / 60.0:.1f} h"


@functools.cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    def finalize(value: Any) -> Any:
        plain = isinstance(value, str) and not isinstance(value, Markup)
        return visible(value) if plain else value

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=finalize,
    )
    environment.filters["minutes_left"] = minutes_left
    return environment
