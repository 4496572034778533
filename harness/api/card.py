"""Cards: the HTML of an object of the Python interface in a notebook."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from harness.report import formats
from harness.visible_text import one_line

if TYPE_CHECKING:
    from jinja2 import Template

_MOST = 40
_LONGEST = 300


@dataclass(frozen=True, slots=True)
class Card:
    """The content of a card; all of it is plain text.

    `tone` colours the `badge` and is a verdict in lower case. A table of more rows than a card
    takes is cut, and `whole` names what gives all of it.
    """

    title: str
    lines: tuple[str, ...] = ()
    head: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    badge: str = ""
    tone: str = ""
    problems: tuple[str, ...] = ()
    whole: str = "metrics()"


def render(card: Card) -> str:
    """The card as an HTML fragment: no script, no class, no address, readable on any background."""
    return _template().render(card=card, rows=card.rows[:_MOST], left=len(card.rows) - _MOST)


def bounded(estimate: str, bounds: str) -> str:
    """An estimate with its bounds behind it, where there are any."""
    return estimate if bounds == formats.NONE else f"{estimate} ({bounds})"


@cache
def _template() -> Template:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["one_line"] = lambda text: one_line(text, _LONGEST)
    return environment.get_template("card.html.j2")
