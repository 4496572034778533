import pytest

from harness.scorers.answers.dates import Date, dates, only_date


def parts(text: str) -> list[tuple[int | None, int | None, int | None]]:
    return [(date.year, date.month, date.day) for date in dates(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("on 8 September 2010", [(2010, 9, 8)]),
        ("September 8th, 2010", [(2010, 9, 8)]),
        ("2010-09-08", [(2010, 9, 8)]),
        ("31/07/2025 or 31.7.25", [(2025, 7, 31), (2025, 7, 31)]),
        ("5/6/2020", [(2020, 6, 5), (2020, 5, 6)]),
        ("le 3 mars 2020, el 3 de mayo de 2021", [(2020, 3, 3), (2021, 5, 3)]),
        ("am 3. März", [(None, 3, 3)]),
        ("2017年12月5日", [(2017, 12, 5)]),
        ("in May, as you may", [(None, 5, None)]),
        ("in April of 1999 and in 2003", [(1999, 4, None), (2003, None, None)]),
        ("1.2.3 and 12345 and 1980s", []),
    ],
)
def test_dates_in_a_text(text: str, expected: list[tuple[int | None, ...]]) -> None:
    assert parts(text) == expected


@pytest.mark.parametrize(
    ("text", "is_one"),
    [("on Monday, 4 May 2020", True), ("since 1940", True), ("4 May at noon", False), ("x", False)],
)
def test_a_text_that_is_a_date(text: str, is_one: bool) -> None:
    assert (only_date(text) is not None) is is_one


def test_what_agrees_may_say_less() -> None:
    day, month = Date(2010, 9, 8), Date(2010, 9, None)
    assert day.says_all_of(month)
    assert month.agrees(day)
    assert not month.says_all_of(day)
    assert not Date(2011, 9, None).agrees(day)
    assert not Date(2010, None, None).agrees(Date(None, 9, 8))
