"""The one comparison of answers to probes, and its one table of tolerances."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.targets.probes import TOLERANCES, Logprobs, compare, gap_between

SAME: Logprobs = (("a", -0.5), ("b", -0.25))
OTHER_TEXT: Logprobs = (("a", -0.5), ("c", -0.25))


def moved(nats: float) -> Logprobs:
    return tuple((token, value + nats) for token, value in SAME)


def test_the_tolerances_are_pinned() -> None:
    found = (TOLERANCES.repeated, TOLERANCES.replica, TOLERANCES.rebatched)
    assert (found, TOLERANCES.noise_factor) == ((1e-5, 1e-3, 0.1), 4.0)


def test_a_gap_is_the_largest_difference_before_the_texts_fork() -> None:
    assert gap_between(SAME, SAME) == 0.0
    assert gap_between(SAME, (("a", -0.5), ("b", -0.75))) == 0.5
    after = (*SAME, ("x", -0.1), ("y", -9.0))
    assert gap_between(after, (*SAME, ("z", -3.0), ("y", -0.1))) == gap_between(
        (*SAME, ("x", -0.1)), (*SAME, ("z", -3.0))
    )


@given(
    st.lists(st.floats(-8, 3), min_size=2, max_size=6),
    st.lists(st.floats(-0.3, 0.3), min_size=6, max_size=6),
)
def test_no_gap_is_larger_than_what_the_two_models_differ_by(
    logits: list[float], noise: list[float]
) -> None:
    """Greedy over a distribution and over the same one with noise: a fork explains itself."""
    first = log_softmax(logits)
    second = log_softmax([logit + moved for logit, moved in zip(logits, noise, strict=False)])
    differ = max(abs(one - two) for one, two in zip(first, second, strict=True))
    answers = [((str(token), scores[token]),) for scores in (first, second)
               for token in [max(range(len(scores)), key=scores.__getitem__)]]  # fmt: skip
    assert gap_between(*answers) <= differ + 1e-9


def log_softmax(logits: list[float]) -> list[float]:
    total = math.log(sum(map(math.exp, logits)))
    return [logit - total for logit in logits]


def test_a_fork_of_two_that_were_sure_is_a_large_gap_and_a_tie_is_none() -> None:
    sure = math.log(0.99)
    assert gap_between((("a", sure),), (("b", sure),)) == pytest.approx(math.log(99))
    tie = math.log(0.4)
    assert gap_between((("a", tie),), (("b", tie),)) == 0.0
    certain = gap_between((("a", 0.0),), (("b", 0.0),))  # as texts without log-probabilities are
    assert 10 < certain < math.inf
    assert gap_between((("a", 0.0),), (("b", -9999.0),)) < math.inf, "what stands for no chance"
    assert 5 < gap_between((), (("b", 0.0),)) < math.inf


def test_an_answer_that_ends_earlier_forks_there() -> None:
    assert gap_between(SAME, ()) > 0.0
    assert gap_between(SAME, SAME[:1]) == gap_between(SAME[:1], SAME) > 0.0
    unsure = (("a", -0.5), ("b", math.log(0.4)))
    assert gap_between(unsure, unsure[:1]) == 0.0


def test_what_is_within_the_tolerance_or_the_noise_does_not_differ() -> None:
    close = compare(([SAME] * 4, [SAME] * 4), [moved(5e-4)] * 4, TOLERANCES.replica)
    assert (close.differing, close.noise, close.threshold) == (0, 0.0, 1e-3)
    far = compare(([SAME] * 4, [SAME] * 4), [moved(5e-4)] * 4, TOLERANCES.repeated)
    assert far.differing == 4
    assert far.largest == pytest.approx(5e-4)
    noisy = compare(([SAME] * 4, [moved(2e-4)] * 4), [moved(5e-4)] * 4, TOLERANCES.repeated)
    assert noisy.differing == 0
    assert noisy.threshold == pytest.approx(4 * noisy.noise)


def test_a_probe_on_which_the_reference_forks_is_left_out() -> None:
    again = [OTHER_TEXT, SAME, SAME, SAME]
    found = compare(([SAME] * 4, again), [OTHER_TEXT] * 4, TOLERANCES.repeated)
    assert (len(found.gaps), found.forked, found.differing) == (3, 1, 3)
    assert found.conclusive
    worse = [OTHER_TEXT, OTHER_TEXT, SAME, SAME]
    assert not compare(([SAME] * 4, worse), [SAME] * 4, TOLERANCES.repeated).conclusive
