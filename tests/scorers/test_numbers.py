from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.scorers.numbers import has_number, numbers


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("30 days", [30]),
        ("30days", [30]),
        ("$30", [30]),
        ("-$30 or $-30", [-30, -30]),
        ("1,234.50", [1234.5]),
        ("1,234,567", [1234567]),
        ("1,23", [1]),
        ("1, 2 and 3.", [1, 2, 3]),
        ("20%, .5, 0.25", [20, 0.5, 0.25]),
        ("−4 and -4", [-4, -4]),
        ("3-5 days", [3, 5]),
        ("2026-11-20", [2026, 11, 20]),
        ("model A4, v2", []),
        ("1.2.3", [1.2]),
        ("٣٠", [30]),
        ("no number", []),
        ("9" * 41, []),
    ],
)
def test_numbers(text: str, expected: list[float]) -> None:
    assert numbers(text) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("text", "wanted", "tolerance", "expected"),
    [
        ("about 30.4", 30, 0.5, True),
        ("about 30.6", 30, 0.5, False),
        ("0.1", 0.3, 0.2, True),
        ("first 5, then 30", 30, 0, True),
        ("300", 30, 0, False),
        ("none", 30, 1000, False),
    ],
)
def test_has_number(text: str, wanted: float, tolerance: float, expected: bool) -> None:
    assert has_number(text, wanted, tolerance) is expected


@given(st.floats(min_value=-1e9, max_value=1e9), st.sampled_from(["{:,.2f}", "{:.2f}", "${:.2f}!"]))
def test_a_printed_number_is_found_again(value: float, style: str) -> None:
    assert has_number(f"it is {style.format(abs(value))} now", round(abs(value), 2), 0.0)


@pytest.mark.parametrize("piece", ["1", "1,", "1,234", "1.", "-", "$ ", " ", "1,111,"])
def test_hostile_repetition_is_quick(piece: str) -> None:
    start = time.perf_counter()
    numbers(piece * (300_000 // len(piece)))
    assert time.perf_counter() - start < 10
