from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from harness.suites.similar import shingles, similar_pairs, similarity

WORDS = st.lists(st.sampled_from([*"abcdefg"]), min_size=1, max_size=12).map(" ".join)


@given(WORDS, WORDS)
def test_similarity_is_symmetric_and_one_for_the_same_words(one: str, other: str) -> None:
    first, second = shingles(one), shingles(other)
    assert similarity(first, second) == similarity(second, first)
    assert 0 <= similarity(first, second) <= 1
    assert similarity(first, shingles(f"  {one.upper()}!")) == 1


@given(st.lists(WORDS, max_size=12), st.sampled_from([0.3, 0.6, 1.0]))
def test_the_pairs_are_those_of_comparing_each_with_each(texts: list[str], least: float) -> None:
    known = [shingles(text) for text in texts]
    every = {
        (first, second)
        for second in range(len(known))
        for first in range(second)
        if similarity(known[first], known[second]) >= least
    }
    assert set(similar_pairs(known, least)) == every
    assert len(list(similar_pairs(known, least))) == len(every)
