"""Rows of cases in groups, as the properties of means and of pairs draw them."""

from __future__ import annotations

from dataclasses import astuple, replace

import numpy as np
from hypothesis import assume, settings
from hypothesis import strategies as st

from harness.stats import Interval

VALUE = st.sampled_from([0.0, 0.25, 0.5, 1.0])
CASES = st.lists(st.tuples(VALUE, VALUE, st.integers(0, 9)), min_size=2, max_size=25).filter(
    lambda rows: len({group for _, _, group in rows}) > 1
)
BINARY = st.sampled_from([0.0, 1.0])
BINARY_CASES = st.lists(
    st.tuples(BINARY, BINARY, st.integers(0, 9)), min_size=2, max_size=25
).filter(lambda rows: len({group for _, _, group in rows}) > 1)
Rows = list[tuple[float, float, int]]

quick = settings(max_examples=25)


def arrays(rows: Rows) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    candidate, baseline, groups = zip(*rows, strict=True)
    return np.array(candidate), np.array(baseline), np.array(groups)


def f1_terms(rows: Rows) -> tuple[np.ndarray, ...]:
    """Terms of F1, as if even groups were due a refusal and a value of 1 were a refusal."""
    candidate, baseline, groups = arrays(rows)
    terms = []
    for arm in (candidate == 1.0, baseline == 1.0):
        due = groups % 2 == 0
        terms += [np.where(due, 2.0 * arm, 0.0), np.where(due, 1.0 + arm, 1.0 * arm)]
    assume(terms[1].any() and terms[3].any())
    return (*terms, groups)


def close(left: Interval, right: Interval) -> bool:
    return bool(np.allclose(astuple(left), astuple(right), rtol=1e-6, atol=1e-9))


def negated(found: Interval) -> Interval:
    return replace(found, estimate=-found.estimate, low=-found.high, high=-found.low)
