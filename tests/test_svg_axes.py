"""Ticks of axes, of numbers and of time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.svg_axes import (
    Scale,
    even_ticks,
    plain_labels,
    time_labels,
    time_range,
    time_ticks,
)

MOMENTS = st.integers(1_000_000_000, 3_500_000_000).map(lambda s: datetime.fromtimestamp(s, UTC))


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
        ([at(2026, 3, 5, 6), at(2026, 3, 5, 6, 0, 30)], ["06:00:00\n5 Mar 2026", "06:00:30"]),
        ([at(2026, 3, 5, 12), at(2026, 3, 6)], ["12:00\n5 Mar 2026", "00:00\n6 Mar"]),
    ],
)
def test_a_label_says_what_is_new(ticks: list[datetime], labels: list[str]) -> None:
    assert time_labels(ticks) == labels


def test_the_axis_of_time_fits_its_moments() -> None:
    low, high = time_range([at(2026, 3, 5)])
    assert high - low == timedelta(minutes=1)
    low, high = time_range([at(2026, 3, 5, 17, 44, 5), at(2026, 3, 5, 17, 46, 5)])
    assert high - low < timedelta(minutes=3)
    labels = time_labels(time_ticks(low, high, 4))
    assert labels == ["17:44:30\n5 Mar 2026", "17:45:00", "17:45:30", "17:46:00"]


@pytest.mark.parametrize(
    ("low", "high", "most", "labels"),
    [
        (0.0, 14.0, 6, ["0.0", "2.5", "5.0", "7.5", "10.0", "12.5"]),
        (-50.0, 83.0, 8, ["−40", "−20", "0", "20", "40", "60", "80"]),
        (0.93, 1.16, 5, ["0.95", "1.00", "1.05", "1.10", "1.15"]),
        (0.0009, 0.0016, 4, ["0.0010", "0.0012", "0.0014", "0.0016"]),
        (7.0, 7.9, 1, ["7.0", "7.5"]),
    ],
)
def test_ticks_of_an_even_axis_are_round(
    low: float, high: float, most: int, labels: list[str]
) -> None:
    assert plain_labels(even_ticks(low, high, most)) == labels


@given(
    st.floats(-1e6, 1e6, allow_subnormal=False),
    st.floats(1e-3, 1e6, allow_subnormal=False),
    st.integers(3, 9),
)
def test_ticks_of_an_even_axis_lie_on_it(low: float, wide: float, most: int) -> None:
    high = low + wide
    ticks = even_ticks(low, high, most)
    assert 2 <= len(ticks) <= most + 1
    assert ticks == sorted(set(ticks))
    assert all(low - 1e-6 * wide <= tick <= high + 1e-6 * wide for tick in ticks)


def test_a_value_beyond_an_axis_lies_at_its_end() -> None:
    scale = Scale(1.0, 100.0, 0.0, 200.0, logarithmic=True)
    assert [scale(value) for value in (1.0, 10.0, 100.0)] == [0.0, 100.0, 200.0]
    assert (scale.pixel(0.5), scale.pixel(float("inf"))) == (0.0, 200.0)
