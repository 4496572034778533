"""A judgement holds a value that can be scored, and nothing else."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.scorers import Judgement


@given(st.floats(0.0, 1.0))
def test_every_share_is_a_value(value: float) -> None:
    assert Judgement(value, passed=True).value == value


@given(st.floats().filter(lambda value: not 0.0 <= value <= 1.0))
def test_nothing_else_is(value: float) -> None:
    with pytest.raises(ValueError, match=r"^a judgement's value must lie in \[0, 1\], got "):
        Judgement(value, passed=True)


def test_what_is_no_number_is_named() -> None:
    with pytest.raises(ValueError, match=r"got nan$"):
        Judgement(math.nan, passed=False)


def test_judgements_share_no_terms() -> None:
    first, second = Judgement(1.0, True), Judgement(1.0, True)
    assert first.terms is not second.terms
