"""A drawing by matplotlib, the same bytes each time."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from io import BytesIO
from typing import Any


def sketch(width: int, height: int, salt: str, draw: Callable[[Any], None]) -> bytes:
    """The SVG of what `draw` puts on a figure of so many CSS pixels, fit for `svg.clean_svg`.

    `salt` is to be another one for each drawing of a page: ids are made from it.
    """
    from matplotlib import rc_context
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    settings = {
        "svg.fonttype": "none",
        "svg.hashsalt": f"harness-{salt}",
        "font.size": 9.0,
        "axes.unicode_minus": True,
        "text.parse_math": False,
        "path.simplify": False,
    }
    out = BytesIO()
    blank = {"Date": None, "Creator": None, "Format": None, "Type": None}
    with rc_context(settings), warnings.catch_warnings():
        # A name may hold letters that matplotlib's font lacks; the page's fonts show them.
        warnings.filterwarnings("ignore", message="Glyph")
        # 72 units an inch: one unit of the drawing is one CSS pixel.
        figure = Figure(figsize=(width / 72, height / 72), dpi=72)
        FigureCanvasSVG(figure)
        draw(figure)
        figure.savefig(out, format="svg", transparent=True, metadata=blank)
    return out.getvalue()
