"""Lines about a long call."""

from __future__ import annotations

import pytest

from harness.api.progress import EVERY, Lines
from harness.clock import ManualClock


def test_a_stage_is_told_of_at_first_now_and_then_and_at_its_end(
    capsys: pytest.CaptureFixture[str],
) -> None:
    clock = ManualClock()
    lines = Lines(clock)
    for done in range(5):
        lines.progress("asking", done, 5, "1 failed" if done == 3 else "")
        clock.advance(EVERY / 2)
    lines.progress("asking", 5, 5, "")
    lines.progress("other", 1, 9, "")
    assert capsys.readouterr().err.splitlines() == [
        "asking: 0/5", "asking: 2/5", "asking: 4/5", "asking: 5/5", "other: 1/9",
    ]  # fmt: skip


def test_a_step_is_told_of_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    Lines().say("starting the server")
    assert capsys.readouterr().err == "starting the server\n"
