"""Columns that are as wide as their content, and lines of progress."""

from __future__ import annotations

import pytest

from harness.cli.console import PLAIN_EVERY, Console, table
from tests.manual_clock import ManualClock


def test_columns_follow_their_content() -> None:
    rows = [("name", "kind", "n"), ("a", "long kind", "1"), ("a very long name", "b", "12345")]
    assert table(rows, left=2) == [
        "name              kind           n",
        "a                 long kind      1",
        "a very long name  b          12345",
    ]


def test_nothing_trails_and_no_row_is_lost() -> None:
    assert table([("n", "words"), ("10", "a")], left=2) == ["n   words", "10  a"]
    assert table([("n", "words"), ("10", "a")], left=0) == [" n  words", "10      a"]
    assert table([("alone",)], left=1) == ["alone"]


def test_the_time_left_is_told_once_enough_is_done(capsys: pytest.CaptureFixture[str]) -> None:
    clock = ManualClock()
    with Console(clock, live=False) as console:
        for done in (0, 1, 9, 10, 100):
            console.progress("asking", done, 100, "")
            clock.advance(PLAIN_EVERY)
    assert capsys.readouterr().err.splitlines() == [
        "asking: 0/100",
        "asking: 1/100, 0.1/s",
        "asking: 9/100, 0.45/s",
        "asking: 10/100, 0.333/s, 4 min 30 s left",
        "asking: 100/100, 2.5/s",
    ]


def test_of_few_steps_the_first_tells_the_time_left(capsys: pytest.CaptureFixture[str]) -> None:
    clock = ManualClock()
    with Console(clock, live=False) as console:
        for done in (0, 1):
            console.progress("training", done, 6, "")
            clock.advance(PLAIN_EVERY)
    assert "training: 1/6, 0.1/s, 50 s left" in capsys.readouterr().err


def test_a_stage_that_is_over_is_told_once_until_it_begins_again(
    capsys: pytest.CaptureFixture[str],
) -> None:
    clock = ManualClock()
    with Console(clock, live=False) as console:
        for done in (0, 2, 2, 2, 0, 2):
            console.progress("tests", done, 2, "")
            clock.advance(PLAIN_EVERY)
    said = [line.split(",")[0] for line in capsys.readouterr().err.splitlines()]
    assert said == ["tests: 0/2", "tests: 2/2", "tests: 0/2", "tests: 2/2"]
