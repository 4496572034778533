"""An axis of time: its ends and its ticks, in words."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

_ROOM = 0.04
_LEAST = timedelta(hours=6)


def time_range(moments: Iterable[datetime]) -> tuple[datetime, datetime]:
    """The ends of an axis that holds all the moments with room on both sides."""
    seen = sorted(moments)
    low, high = seen[0], seen[-1]
    room = max(_ROOM * (high - low), (_LEAST - (high - low)) / 2)
    return low - room, high + room


def time_ticks(low: datetime, high: datetime, most: int) -> list[datetime]:
    """Round moments within the range, `most` of them or fewer."""
    from matplotlib.dates import AutoDateLocator, num2date

    with warnings.catch_warnings():
        # Of too many ticks some are left away below.
        warnings.filterwarnings("ignore", message="AutoDateLocator was unable")
        places = AutoDateLocator(minticks=2, maxticks=most).tick_values(low, high)
    found = [moment for moment in num2date(places) if low <= moment <= high]
    return found[:: -(-len(found) // most)] if found else []


def time_labels(ticks: Sequence[datetime]) -> list[str]:
    """A label for each tick: what it shares with the tick before it is left away."""
    clocks = any(tick.hour or tick.minute for tick in ticks)
    months = not clocks and all(tick.day == 1 for tick in ticks) and len(ticks) > 1
    labels = []
    before: datetime | None = None
    for tick in ticks:
        new_year = before is None or before.year != tick.year
        new_day = before is None or before.date() != tick.date()
        day = f"{tick:%b}" if months else f"{tick.day} {tick:%b}"
        date = f"{day} {tick.year}" if new_year else day
        clock = f"{tick:%H:%M}"
        labels.append((f"{clock}\n{date}" if new_day else clock) if clocks else date)
        before = tick
    return labels
