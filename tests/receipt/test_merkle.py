from __future__ import annotations

import hashlib
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.receipt.merkle import chance_seen, leaf, root


def by_the_definition(records: list[bytes]) -> bytes:
    """RFC 9162, 2.1.1, as it is written."""
    if not records:
        return hashlib.sha256(b"").digest()
    if len(records) == 1:
        return hashlib.sha256(b"\0" + records[0]).digest()
    split = 1
    while split * 2 < len(records):
        split *= 2
    left, right = by_the_definition(records[:split]), by_the_definition(records[split:])
    return hashlib.sha256(b"\1" + left + right).digest()


@given(st.lists(st.binary(max_size=5), max_size=40))
def test_the_head_is_that_of_the_definition(records: list[bytes]) -> None:
    assert root(map(leaf, records)) == by_the_definition(records)


def test_the_head_of_known_vectors() -> None:
    """The vectors of the implementation of Certificate Transparency."""
    records = [b"", b"\0", b"\x10", b" !", b"01", b"@ABC", b"PQRSTUVW", b"`abcdefghijklmno"]
    heads = {
        1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    }
    for size, head in heads.items():
        assert root(map(leaf, records[:size])).hex() == head


def test_the_chance_is_the_share_of_the_samples_that_hold_a_changed_record() -> None:
    for sample in range(7):
        for changed in range(7):
            drawn = list(combinations(range(6), min(sample, 6)))
            seen = sum(min(one, default=6) < min(changed, 6) for one in drawn) / len(drawn)
            assert chance_seen(6, min(sample, 6), min(changed, 6)) == pytest.approx(seen)
    with pytest.raises(ValueError, match="more than there are"):
        chance_seen(6, 7, 1)
