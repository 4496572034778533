"""A curve as one line of text."""

from __future__ import annotations

import pytest

from harness.training.trend import WIDTH, trend


@pytest.mark.parametrize(
    ("values", "drawn"),
    [
        ([], ""),
        ([1.0], ""),
        ([2.0, 1.0], "█▁"),
        ([1.0, 1.0, 1.0], "▁▁▁"),
        ([7.0, 3.0, 1.0, 0.0], "█▄▂▁"),
    ],
)
def test_bars_go_from_the_least_to_the_greatest(values: list[float], drawn: str) -> None:
    assert trend(values) == drawn


def test_the_last_values_are_shown() -> None:
    assert trend([9.0] * 50 + [0.0]) == "█" * (WIDTH - 1) + "▁"
