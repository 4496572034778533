"""Every way a number is written, as a table of input and output."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from harness.records.summary import nearest_rank
from harness.report import formats


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0 answers"), (1, "1 answer"), (1234, "1,234 answers")]
)
def test_things_are_counted_in_words(value: int, text: str) -> None:
    assert formats.counted(value, "answer") == text


@pytest.mark.parametrize(
    ("form", "value", "text"),
    [
        (formats.count, None, "–"),
        (formats.count, 0, "0"),
        (formats.count, 12345, "12,345"),
        (formats.share, None, "–"),
        (formats.share, 0.0, "0%"),
        (formats.share, 1.0, "100%"),
        (formats.share, 0.912, "91.2%"),
        (formats.share, 0.05, "5.0%"),
        (formats.share, 0.9999, ">99.9%"),
        (formats.share, 0.0001, "<0.1%"),
        (formats.share, -0.02, "−2.0%"),
        (formats.share, 1.02, "102.0%"),
        (formats.points, None, "–"),
        (formats.points, 0.57, "+57.0 points"),
        (formats.points, -0.031, "−3.1 points"),
        (formats.points, 0.0, "0 points"),
        (formats.points, 1e-17, "0 points"),
        (formats.points, 0.0003, "+0.03 points"),
        (formats.points, -0.0003, "−0.03 points"),
        (formats.milliseconds, None, "–"),
        (formats.milliseconds, 0.01234, "12.3 ms"),
        (formats.milliseconds, 0.4, "400 ms"),
        (formats.milliseconds, 1.2344, "1,234 ms"),
        (formats.milliseconds, math.inf, "∞"),
        (formats.duration, None, "–"),
        (formats.duration, 0.0, "0.00 ms"),
        (formats.duration, 0.00421, "4.21 ms"),
        (formats.duration, 0.009996, "10.0 ms"),
        (formats.duration, 0.0412, "41.2 ms"),
        (formats.duration, 0.0999, "99.9 ms"),
        (formats.duration, 0.09996, "100 ms"),
        (formats.duration, 0.412, "412 ms"),
        (formats.duration, 0.9996, "1.00 s"),
        (formats.duration, 1.234, "1.23 s"),
        (formats.duration, 18.44, "18.4 s"),
        (formats.duration, 1840.0, "1,840 s"),
        (formats.duration, math.inf, "∞"),
        (formats.ratio, math.inf, "∞"),
        (formats.ratio, None, "–"),
        (formats.ratio, 1.1, "1.10×"),
        (formats.ratio, 12.0, "12.00×"),
        (formats.number, None, "–"),
        (formats.number, 0.0, "0"),
        (formats.number, 3.14159, "3.142"),
        (formats.number, -2.5, "−2.5"),
        (formats.number, 12345.6, "12,346"),
        (formats.number, 0.00001234, "1.23e−05"),
        (formats.amount, None, "–"),
        (formats.amount, 0.0, "0"),
        (formats.amount, 0.042, "0.042"),
        (formats.amount, 0.35, "0.35"),
        (formats.amount, 0.1, "0.10"),
        (formats.amount, 0.0999, "0.10"),
        (formats.amount, 0.000312, "0.00031"),
        (formats.amount, 0.9951, "1.00"),
        (formats.amount, 1.005, "1.00"),
        (formats.amount, 12.5, "12.50"),
        (formats.amount, 1234.5, "1,234.50"),
        (formats.amount, 1e-6, "0.0000010"),
        (formats.amount, 1e-9, "< 0.000001"),
        (formats.p_value, None, "–"),
        (formats.p_value, 1e-9, "< 0.001"),
        (formats.p_value, 0.0, "< 0.001"),
        (formats.p_value, 0.0421, "0.042"),
        (formats.p_value, 0.9999, "> 0.999"),
        (formats.p_value, 1.0, "1.000"),
    ],
)
def test_a_number_reads(
    form: Callable[[float | None], str], value: float | None, text: str
) -> None:
    assert form(value) == text


@pytest.mark.parametrize(
    ("low", "high", "form", "text"),
    [
        (0.49, 0.65, formats.points, "+49.0 to +65.0 points"),
        (-0.062, 0.081, formats.points, "−6.2 to +8.1 points"),
        (0.33, 0.501, formats.share, "33.0% to 50.1%"),
        (0.01, 0.02, formats.milliseconds, "10.0 to 20.0 ms"),
        (1.01, 1.078, formats.ratio, "1.01× to 1.08×"),
        (1.2, 1.4, formats.duration, "1.20 to 1.40 s"),
        (0.9, 1.4, formats.duration, "900 ms to 1.40 s"),
        (1.2, math.inf, formats.ratio, "1.20× to ∞"),
        (math.inf, math.inf, formats.ratio, "∞"),
        (None, 0.5, formats.share, "– to 50.0%"),
        (None, None, formats.share, "–"),
    ],
)
def test_an_interval_reads(
    low: float | None, high: float | None, form: formats.Format, text: str
) -> None:
    assert formats.interval(low, high, form) == text


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
    assert formats.moment(text) == shown


def test_a_quantile_is_an_observed_value_and_infinity_ranks_last() -> None:
    assert nearest_rank([], 0.5) is None
    assert nearest_rank([1.0, 2.0, 3.0], 0.5) == 2.0
    assert nearest_rank([float(n) for n in range(1, 101)], 0.95) == 95.0
    assert nearest_rank([1.0, math.inf], 0.95) == math.inf


@pytest.mark.parametrize(
    ("unit", "value", "alone", "difference"),
    [
        ("share", 0.912, "91.2%", "+91.2 points"),
        ("seconds", 0.0412, "41.2 ms", "+41.2 ms"),
        ("seconds", -0.0412, "−41.2 ms", "−41.2 ms"),
        ("nats/token", 2.31749, "2.317 nats/token", "+2.317 nats/token"),
        ("nats/token", -0.1, "−0.1 nats/token", "−0.1 nats/token"),
        ("nats/token", None, "–", "–"),
        ("nats/token", math.inf, "∞", "∞"),
    ],
)
def test_a_value_is_written_in_its_unit(
    unit: str, value: float | None, alone: str, difference: str
) -> None:
    found = formats.unit_named(unit)
    assert (found.value(value), found.difference(value)) == (alone, difference)


def test_a_limit_gets_as_many_decimals_as_tell_it_from_the_values() -> None:
    form = formats.fine_format("value", "nats/token", 2.3, (2.30004, 2.4))
    assert (form(2.3), form(2.30004)) == ("2.30000 nats/token", "2.30004 nats/token")
    form = formats.fine_format("difference", "share", -0.03, (-0.0302,))
    assert (form(-0.03), form(-0.0302)) == ("−3.00 points", "−3.02 points")
