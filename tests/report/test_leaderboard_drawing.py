"""The drawing of every difference to the baseline."""

from __future__ import annotations

import pytest

from harness.records.leaderboard import Leaderboard
from harness.report.forest import Layout
from harness.report.leaderboard_drawing import NARROW, WIDE, render_gaps
from harness.report.leaderboard_text import LeaderboardContent
from tests.report.leaderboard_fixtures import doubtful, leaderboard


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_the_drawing_is_the_same_each_time_and_has_no_style(size: Layout) -> None:
    first, second = (render_gaps(LeaderboardContent(leaderboard()), size) for _ in range(2))
    assert first == second
    assert "style=" not in first
    assert first.count(">good</text>") == 7


def test_nothing_is_drawn_where_nothing_can_be_computed() -> None:
    content = LeaderboardContent(Leaderboard("base", 0.05, (doubtful("same"),), None))
    assert render_gaps(content, WIDE) == ""
