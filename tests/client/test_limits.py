"""When a sliding minute has room."""

import pytest

from harness.client.limits import SPAN, Window


def test_no_limit_is_always_due() -> None:
    window = Window(None, None)
    for _ in range(1000):
        assert window.due(0.0, 10**9) == 0.0
        window.add(0.0, 10**9)


def test_the_whole_limit_may_go_at_once_and_the_next_when_the_first_is_let_go() -> None:
    window = Window(2, None)
    window.add(1.0, 0)
    assert window.due(5.0, 0) == 0.0
    window.add(5.0, 0)
    assert window.due(6.0, 0) == pytest.approx(1.0 + SPAN - 6.0)
    assert window.due(1.0 + SPAN, 0) == 0.0


def test_tokens_wait_for_as_many_as_are_needed_to_leave() -> None:
    window = Window(None, 100)
    for moment in (0.0, 1.0, 2.0):
        window.add(moment, 30)
    assert window.due(3.0, 10) == 0.0
    assert window.due(3.0, 40) == pytest.approx(SPAN - 3.0)
    assert window.due(3.0, 41) == pytest.approx(1.0 + SPAN - 3.0)
    assert window.due(3.0, 100) == pytest.approx(2.0 + SPAN - 3.0)


def test_settling_changes_what_is_left_also_after_the_minute() -> None:
    window = Window(None, 100)
    use = window.add(0.0, 90)
    assert window.due(1.0, 50) > 0.0
    window.settle(use, 50)
    assert window.due(1.0, 50) == 0.0
    assert window.due(SPAN, 100) == 0.0
    window.settle(use, 80)
    assert window.due(SPAN, 100) == 0.0


def test_what_an_empty_window_cannot_hold() -> None:
    assert Window(1, 100).holds(100)
    assert not Window(1, 100).holds(101)
    assert Window(1, None).holds(10**9)
