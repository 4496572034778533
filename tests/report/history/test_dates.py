"""An axis of time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.report.history.dates import time_labels, time_range, time_ticks

MOMENTS = st.integers(1_000_000_000, 3_500_000_000).map(lambda s: datetime.fromtimestamp(s, UTC))


@settings(deadline=None)
@given(st.lists(MOMENTS, min_size=1, max_size=5), st.sampled_from([4, 9]))
def test_every_range_holds_its_moments_and_has_few_ticks(
    moments: list[datetime], most: int
) -> None:
    low, high = time_range(moments)
    assert low < min(moments)
    assert high > max(moments)
    ticks = time_ticks(low, high, most)
    assert 1 <= len(ticks) <= most
    assert all(low <= tick <= high for tick in ticks)
    assert len(time_labels(ticks)) == len(ticks)


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type,misc]


@pytest.mark.parametrize(
    ("ticks", "labels"),
    [
        ([at(2026, 3, 1), at(2026, 4, 1)], ["Mar 2026", "Apr"]),
        ([at(2026, 12, 1), at(2027, 1, 1)], ["Dec 2026", "Jan 2027"]),
        ([at(2026, 3, 5), at(2026, 3, 12)], ["5 Mar 2026", "12 Mar"]),
        ([at(2026, 3, 5, 6), at(2026, 3, 5, 12)], ["06:00\n5 Mar 2026", "12:00"]),
        ([at(2026, 3, 5, 12), at(2026, 3, 6)], ["12:00\n5 Mar 2026", "00:00\n6 Mar"]),
    ],
)
def test_a_label_says_what_is_new(ticks: list[datetime], labels: list[str]) -> None:
    assert time_labels(ticks) == labels


def test_one_moment_has_hours_around_it() -> None:
    low, high = time_range([at(2026, 3, 5)])
    assert high - low == timedelta(hours=6)
