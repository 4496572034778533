"""The statistics give the intervals that they gave."""

from __future__ import annotations

from tests.golden.capture import differences
from tests.golden.statistics import tables
from tests.golden.write import TABLES


def test_the_tables_are_what_they_were() -> None:
    expected = TABLES.read_text(encoding="utf-8")
    apart = differences("statistics.json", expected.rstrip("\n"), tables())
    assert not apart, "\n".join(apart)
