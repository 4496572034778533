"""SVG drawings: lines, markers and text, coloured by classes of the page's style sheet.

Nothing in a drawing has a style attribute, which a strict Content-Security-Policy refuses: each
shape has a class such as `fill-pass` or `stroke-line`, and the page's style sheet gives the class
its colour in light and dark.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Literal

Colour = Literal[
    "ink", "muted", "line", "allowed", "paper", "pass", "fail", "inconclusive", "invalid",
    "candidate", "baseline", "control",
]  # fmt: skip
Marker = Literal["circle", "square", "diamond", "cross", "up", "down", "right"]
Point = tuple[float, float]

# The colours of a drawing that stands alone, on white.
_ALONE: dict[Colour, str] = {
    "ink": "#1b1f24", "muted": "#59616c", "line": "#d9dde2", "allowed": "#e4ecf4",
    "paper": "#ffffff", "pass": "#17693a", "fail": "#a8201a", "inconclusive": "#7a5200",
    "invalid": "#6a3596", "candidate": "#0b63b5", "baseline": "#c05a00", "control": "#737c88",
}  # fmt: skip

# The same where the reader's system is dark.
_ALONE_DARK: dict[Colour, str] = {
    "ink": "#e5e8ec", "muted": "#a3abb6", "line": "#363d47", "allowed": "#26323f",
    "paper": "#1b1f25", "pass": "#74cf98", "fail": "#ff9389", "inconclusive": "#edbf58",
    "invalid": "#cba8f5", "candidate": "#6cb6ff", "baseline": "#f0a04b", "control": "#98a2ae",
}  # fmt: skip

# The corners of each marker, in parts of its size around its middle.
_CORNERS: dict[str, Sequence[Point]] = {
    "square": ((-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)),
    "diamond": ((0, -0.707), (0.707, 0), (0, 0.707), (-0.707, 0)),
    "cross": (
        (-0.25, -0.5), (0, -0.25), (0.25, -0.5), (0.5, -0.25), (0.25, 0), (0.5, 0.25),
        (0.25, 0.5), (0, 0.25), (-0.25, 0.5), (-0.5, 0.25), (-0.25, 0), (-0.5, -0.25),
    ),
    "up": ((0, -0.5), (0.5, 0.5), (-0.5, 0.5)),
    "down": ((0, 0.5), (0.5, -0.5), (-0.5, -0.5)),
    "right": ((0.5, 0), (-0.5, 0.5), (-0.5, -0.5)),
}  # fmt: skip


def _number(value: float) -> str:
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _rules(colours: Mapping[Colour, str]) -> str:
    return "".join(
        f".fill-{name}{{fill:{value}}}.stroke-{name}{{stroke:{value}}}"
        for name, value in colours.items()
    )


def _path(points: Sequence[Point]) -> str:
    return "M" + "L".join(f"{_number(x)} {_number(y)}" for x, y in points)


class Drawing:
    """A drawing of so many CSS pixels, from the top left; what is added later lies above."""

    def __init__(self, width: float, height: float) -> None:
        self.width, self.height = width, height
        self._parts: list[str] = []

    def line(
        self, points: Sequence[Point], colour: Colour, width: float, *, dash: str = ""
    ) -> None:
        """A line through the points; `dash` is an SVG dash array in pixels."""
        dashes = f' stroke-dasharray="{dash}"' if dash else ""
        self._parts.append(
            f'<path d="{_path(points)}" fill="none" stroke-width="{_number(width)}"{dashes}'
            f' stroke-linejoin="round" class="stroke-{colour}"/>'
        )

    def box(self, left: float, top: float, right: float, bottom: float, colour: Colour) -> None:
        """A filled rectangle between two corners."""
        # Rounded before, so that boxes that share an edge leave no gap.
        left, top, right, bottom = (round(end, 2) for end in (left, top, right, bottom))
        self._parts.append(
            f'<rect x="{_number(left)}" y="{_number(top)}" width="{_number(right - left)}"'
            f' height="{_number(bottom - top)}" class="fill-{colour}"/>'
        )

    def marker(
        self,
        kind: Marker,
        at: Point,
        size: float,
        colour: Colour,
        *,
        edge: Colour | None = "paper",
        edge_width: float = 1.0,
        filled: bool = True,
    ) -> None:
        """A marker around a point; one that is not filled has its colour as the edge."""
        inside = f"fill-{colour}" if filled else "fill-paper"
        around = edge if filled else colour
        classes = f"{inside} stroke-{around}" if around else inside
        width = f' stroke-width="{_number(edge_width)}"' if around else ""
        x, y = at
        if kind == "circle":
            shape = f'circle cx="{_number(x)}" cy="{_number(y)}" r="{_number(size / 2)}"'
        else:
            corners = [(x + size * dx, y + size * dy) for dx, dy in _CORNERS[kind]]
            shape = f'path d="{_path(corners)}Z"'
        self._parts.append(f'<{shape}{width} class="{classes}"/>')

    def ring(self, at: Point, size: float, colour: Colour, width: float) -> None:
        """A circle that hides nothing."""
        x, y = at
        self._parts.append(
            f'<circle cx="{_number(x)}" cy="{_number(y)}" r="{_number(size / 2)}" fill="none"'
            f' stroke-width="{_number(width)}" class="stroke-{colour}"/>'
        )

    def text(
        self,
        words: str,
        at: Point,
        colour: Colour,
        size: float,
        *,
        anchor: Literal["start", "middle", "end"] = "start",
        bold: bool = False,
        whole: str = "",
    ) -> None:
        """Words on a baseline, beginning, centred or ending at a point.

        `whole` is the text that they are cut from, which a browser shows under the pointer.
        """
        placed = "" if anchor == "start" else f' text-anchor="{anchor}"'
        weight = ' font-weight="600"' if bold else ""
        cut = whole and whole not in words
        title = f"<title>{escape(whole, quote=False)}</title>" if cut else ""
        self._parts.append(
            f'<text x="{_number(at[0])}" y="{_number(at[1])}" font-size="{_number(size)}"{placed}'
            f'{weight} class="fill-{colour}">{escape(words, quote=False)}{title}</text>'
        )

    def render(self, name: str, title: str, description: str, css: str = "drawing") -> str:
        """The `<svg>` element with a title and a description for screen readers.

        Its ids begin with `name`, which must be another one for each drawing of a page.
        """
        return (
            f'<svg viewBox="0 0 {_number(self.width)} {_number(self.height)}" class="{css}"'
            f' role="img" aria-labelledby="{name}-title {name}-desc">'
            f'<title id="{name}-title">{escape(title, quote=False)}</title>'
            f'<desc id="{name}-desc">{escape(description, quote=False)}</desc>'
            f"{''.join(self._parts)}</svg>"
        )

    def render_document(self, name: str, title: str, description: str) -> str:
        """The drawing as a file of its own, with its colours in light and dark."""
        dark = f"@media (prefers-color-scheme:dark){{{_rules(_ALONE_DARK)}}}"
        rules = f"{_rules(_ALONE)}{dark}"
        element = self.render(name, title, description)
        head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{_number(self.width)}" '
        style = f"<style>svg{{font-family:sans-serif}}{rules}</style></svg>\n"
        return element.replace("<svg ", head, 1).removesuffix("</svg>") + style
