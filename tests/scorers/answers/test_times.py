import pytest

from harness.scorers.answers.times import times


def at(hour: int, minute: int = 0) -> int:
    return 60 * hour + minute


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("at 6 pm", [{at(18)}]),
        ("at 6:30 a.m. or 18:30", [{at(6, 30)}, {at(18, 30)}]),
        ("at 3:00", [{at(3), at(15)}]),
        ("at 03:00 and 12:00", [{at(3)}, {at(12)}]),
        ("half past nine in the evening", [{at(21, 30)}]),
        ("a quarter to five", [{at(4, 45), at(16, 45)}]),
        ("noon, midnight", [{at(12)}, {0}]),
        ("um 18 Uhr, à 18h15", [{at(18)}, {at(18, 15)}]),
        ("9.30 pm, six o'clock", [{at(21, 30)}, {at(6), at(18)}]),
        ("3 to 5 days, 12.30 euros, 1:2", []),
    ],
)
def test_times_in_a_text(text: str, expected: list[set[int]]) -> None:
    assert [set(time.minutes) for time in times(text)] == expected
