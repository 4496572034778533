"""Columns that are as wide as their content."""

from __future__ import annotations

from harness.cli.console import table


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
