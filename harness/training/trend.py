"""A curve as one line of text."""

from __future__ import annotations

from collections.abc import Sequence

_LEVELS = "▁▂▃▄▅▆▇█"
WIDTH = 16


def trend(values: Sequence[float]) -> str:
    """The last `WIDTH` values as bars from the least to the greatest; empty for fewer than two."""
    shown = values[-WIDTH:]
    if len(shown) < 2:
        return ""
    low, high = min(shown), max(shown)
    step = (high - low) / (len(_LEVELS) - 1)
    return "".join(_LEVELS[round((one - low) / step) if step else 0] for one in shown)
