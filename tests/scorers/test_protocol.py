"""A judgement holds a value that can be scored, and nothing else."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.scorers import Judgement


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_finite_number_is_a_value(value: float) -> None:
    assert Judgement(value).value == value


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        Judgement(value)
    assert str(caught.value) == f"a judgement's value must be finite, got {value}"


def test_judgements_share_no_terms() -> None:
    first, second = Judgement(1.0, True), Judgement(1.0, True)
    assert first.terms is not second.terms
