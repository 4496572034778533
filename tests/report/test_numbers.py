"""Every way a number is written, as a table of input and output."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from harness.report import numbers


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0 answers"), (1, "1 answer"), (1234, "1,234 answers")]
)
def test_things_are_counted_in_words(value: int, text: str) -> None:
    assert numbers.counted(value, "answer") == text


@pytest.mark.parametrize(
    ("form", "value", "text"),
    [
        (numbers.count, None, "–"),
        (numbers.count, 0, "0"),
        (numbers.count, 12345, "12,345"),
        (numbers.share, None, "–"),
        (numbers.share, 0.0, "0%"),
        (numbers.share, 1.0, "100%"),
        (numbers.share, 0.912, "91.2%"),
        (numbers.share, 0.05, "5.0%"),
        (numbers.share, 0.9999, ">99.9%"),
        (numbers.share, 0.0001, "<0.1%"),
        (numbers.share, -0.02, "−2.0%"),
        (numbers.share, 1.02, "102.0%"),
        (numbers.points, None, "–"),
        (numbers.points, 0.57, "+57.0 pp"),
        (numbers.points, -0.031, "−3.1 pp"),
        (numbers.points, 0.0, "0 pp"),
        (numbers.points, 1e-17, "0 pp"),
        (numbers.points, 0.0003, "+0.03 pp"),
        (numbers.points, -0.0003, "−0.03 pp"),
        (numbers.milliseconds, None, "–"),
        (numbers.milliseconds, 0.01234, "12.3 ms"),
        (numbers.milliseconds, 0.4, "400 ms"),
        (numbers.milliseconds, 1.2344, "1,234 ms"),
        (numbers.milliseconds, math.inf, "∞"),
        (numbers.duration, None, "–"),
        (numbers.duration, 0.0, "0.00 ms"),
        (numbers.duration, 0.00421, "4.21 ms"),
        (numbers.duration, 0.009996, "10.0 ms"),
        (numbers.duration, 0.0412, "41.2 ms"),
        (numbers.duration, 0.0999, "99.9 ms"),
        (numbers.duration, 0.09996, "100 ms"),
        (numbers.duration, 0.412, "412 ms"),
        (numbers.duration, 0.9996, "1.00 s"),
        (numbers.duration, 1.234, "1.23 s"),
        (numbers.duration, 18.44, "18.4 s"),
        (numbers.duration, 1840.0, "1,840 s"),
        (numbers.duration, math.inf, "∞"),
        (numbers.ratio, math.inf, "∞"),
        (numbers.ratio, None, "–"),
        (numbers.ratio, 1.1, "1.10×"),
        (numbers.ratio, 12.0, "12.00×"),
        (numbers.number, None, "–"),
        (numbers.number, 0.0, "0"),
        (numbers.number, 3.14159, "3.142"),
        (numbers.number, -2.5, "−2.5"),
        (numbers.number, 12345.6, "12,346"),
        (numbers.number, 0.00001234, "1.23e−05"),
        (numbers.amount, None, "–"),
        (numbers.amount, 0.0, "0"),
        (numbers.amount, 0.042, "0.042"),
        (numbers.amount, 0.35, "0.35"),
        (numbers.amount, 0.1, "0.10"),
        (numbers.amount, 0.0999, "0.10"),
        (numbers.amount, 0.000312, "0.00031"),
        (numbers.amount, 0.9951, "1.00"),
        (numbers.amount, 1.005, "1.00"),
        (numbers.amount, 12.5, "12.50"),
        (numbers.amount, 1234.5, "1,234.50"),
        (numbers.amount, 1e-6, "0.0000010"),
        (numbers.amount, 1e-9, "< 0.000001"),
        (numbers.p_value, None, "–"),
        (numbers.p_value, 1e-9, "< 0.001"),
        (numbers.p_value, 0.0, "< 0.001"),
        (numbers.p_value, 0.0421, "0.042"),
        (numbers.p_value, 0.9999, "> 0.999"),
        (numbers.p_value, 1.0, "1.000"),
    ],
)
def test_a_number_reads(
    form: Callable[[float | None], str], value: float | None, text: str
) -> None:
    assert form(value) == text


@pytest.mark.parametrize(
    ("low", "high", "form", "text"),
    [
        (0.49, 0.65, numbers.points, "+49.0 to +65.0 pp"),
        (-0.062, 0.081, numbers.points, "−6.2 to +8.1 pp"),
        (0.33, 0.501, numbers.share, "33.0% to 50.1%"),
        (0.01, 0.02, numbers.milliseconds, "10.0 to 20.0 ms"),
        (1.01, 1.078, numbers.ratio, "1.01× to 1.08×"),
        (1.2, 1.4, numbers.duration, "1.20 to 1.40 s"),
        (0.9, 1.4, numbers.duration, "900 ms to 1.40 s"),
        (1.2, math.inf, numbers.ratio, "1.20× to ∞"),
        (math.inf, math.inf, numbers.ratio, "∞"),
        (None, 0.5, numbers.share, "– to 50.0%"),
        (None, None, numbers.share, "–"),
    ],
)
def test_an_interval_reads(
    low: float | None, high: float | None, form: numbers.Format, text: str
) -> None:
    assert numbers.interval(low, high, form) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2026-11-20T14:05:00Z", "2026-11-20 14:05 UTC"),
        ("2026-11-20T14:05:00+02:00", "2026-11-20 12:05 UTC"),
        ("2026-11-20T14:05:00", "2026-11-20T14:05:00"),
        ("yesterday", "yesterday"),
    ],
)
def test_a_moment_reads(text: str, shown: str) -> None:
    assert numbers.moment(text) == shown


def test_a_quantile_is_an_observed_value_and_infinity_ranks_last() -> None:
    assert numbers.quantile([], 0.5) is None
    assert numbers.quantile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert numbers.quantile([float(n) for n in range(1, 101)], 0.95) == 95.0
    assert numbers.quantile([1.0, math.inf], 0.95) == math.inf
