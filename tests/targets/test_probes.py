"""The one comparison of answers to probes, and its one table of tolerances."""

from __future__ import annotations

import pytest

from harness.targets.probes import TOLERANCES, AnswerGap, Logprobs, compare, gap_between

SAME: Logprobs = (("a", -0.5), ("b", -0.25))
OTHER_TEXT: Logprobs = (("a", -0.5), ("c", -0.25))


def moved(nats: float) -> Logprobs:
    return tuple((token, value + nats) for token, value in SAME)


def test_the_tolerances_are_pinned() -> None:
    found = (TOLERANCES.repeated, TOLERANCES.replica, TOLERANCES.rebatched)
    assert (found, TOLERANCES.noise_factor) == ((1e-5, 1e-3, 0.1), 4.0)


@pytest.mark.parametrize(
    ("other", "gap"),
    [
        (SAME, AnswerGap(0.0, forked=False)),
        (OTHER_TEXT, AnswerGap(0.0, forked=True)),
        (SAME[:1], AnswerGap(0.0, forked=True)),
        ((), AnswerGap(0.0, forked=True)),
        ((("a", -0.75), ("c", -9.0)), AnswerGap(0.25, forked=True)),
        ((("a", -0.5), ("b", -0.75)), AnswerGap(0.5, forked=False)),
    ],
)
def test_a_gap_ends_where_the_texts_fork(other: Logprobs, gap: AnswerGap) -> None:
    assert gap_between(SAME, other) == gap


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
