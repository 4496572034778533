import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.scorers.answers.numbers import numbers, prepared, reference_number


def values(text: str) -> list[float]:
    return [number.values[0] for number in numbers(prepared(text))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("30 days, 30days, $30", [30, 30, 30]),
        ("1,234.50 or 1.234,50", [1234.5, 1234.5]),
        ("12,34,567 and 1 234 567,8 and 1'234", [1234567, 1234567.8, 1234]),
        ("2,5 % of .5", [2.5, 0.5]),
        ("3½, ½, 3/4, 1 3/4", [3.5, 0.5, 0.75, 1.75]),
        ("12k, 1.2 million, 5M, €2m", [12000, 1200000, 5000000, 2000000]),
        ("-5, −4, minus 3, $-2, -$1", [-5, -4, -3, -2, -1]),
        ("16 - 3 = 13, 10-12 = -2", [16, 3, 13, 10, 12, -2]),
        ("- 7 items", [7]),
        ("3-5 days, 3 to 5 days, between 3 and 5", []),
        ("from 3 to 5", [3, 5]),
        ("1.2.3, v2, A4, version 2", []),
        ("On 5 May 2020 at 3 pm and 10:30, 18 came", [18]),
        ("1. first\n2. then 7", [7]),
        ("+44 20 7946 0000 or 555-123-4567", []),
        ("twenty-five of the two hundred", [25, 200]),
        (r"\boxed{1{,}234} and \frac{1}{2}", [1234, 0.5]),
        ("5 m and 5 M&Ms", [5, 5]),
        ("9" * 41, []),
        ("٣٠", [30]),
    ],
)
def test_numbers(text: str, expected: list[float]) -> None:
    assert values(text) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("3 hours", "hour"),
        ("3 hrs", "hour"),
        ("3-day pass", "day"),
        ("€3", "€"),
        ("3 per cent", "%"),
        ("3 red chairs", "red"),
        ("3 of them", ""),
        ("3.", ""),
    ],
)
def test_the_unit_is_what_follows(text: str, unit: str) -> None:
    assert numbers(prepared(text))[0].unit == unit


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1300 dollars", 1300),
        ("3 pm", 3),
        ("May 5", 5),
        ("1/2", 0.5),
        ("3 or 4", None),
        ("x", None),
    ],
)
def test_the_number_of_a_reference(text: str, expected: float | None) -> None:
    found = reference_number(text)
    assert (found and found.values[0]) == expected


def test_one_group_of_three_can_be_read_in_two_ways() -> None:
    assert numbers("1,234")[0].values == (1234, 1.234)
    assert numbers("1.234")[0].values == (1.234, 1234)


def test_a_year_of_a_month_counts_where_a_year_is_wanted() -> None:
    assert len(numbers("in May 1987", years=True)) == 1
    assert numbers("in May 1987", years=False) == []


@given(st.floats(min_value=0, max_value=1e9), st.sampled_from(["{:,.2f}", "{:.2f}", "${:.2f}!"]))
def test_a_printed_number_is_found_again(value: float, style: str) -> None:
    printed = f"it is {style.format(value)} now"
    assert any(number.near(round(value, 2), 0.0) for number in numbers(prepared(printed)))
