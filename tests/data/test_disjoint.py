from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from harness.data.disjoint import DisjointSets

PAIRS = st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=20)


@given(PAIRS)
def test_two_numbers_are_in_one_set_where_a_chain_of_pairs_leads_from_one_to_the_other(
    pairs: list[tuple[int, int]],
) -> None:
    sets = DisjointSets(12)
    reached = [{number} for number in range(12)]
    for one, other in pairs:
        sets.join(one, other)
        both = reached[one] | reached[other]
        for number in both:
            reached[number] = both
    assert [sets.first(number) for number in range(12)] == [min(one) for one in reached]
    assert sets.members() == {min(one): sorted(one) for one in reached}
