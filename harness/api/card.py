"""Cards: how a notebook shows an object of the Python face."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from harness.report import formats
from harness.report.text import one_line

if TYPE_CHECKING:
    from jinja2 import Template

_MOST = 40
_LONGEST = 300


@dataclass(frozen=True, slots=True)
class Card:
    """What a card shows; all of it is text, whoever wrote it.

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
    """The card as a piece of HTML: no script, no class, no address, colours fit for any page."""
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
    environment.filters["shown"] = lambda text: one_line(text, _LONGEST)
    return environment.get_template("card.html.j2")
