from __future__ import annotations

from harness.leak.windows import WindowHasher


def test_windows_are_counted_once_a_text_and_never_across_texts() -> None:
    hasher = WindowHasher(4)
    found = hasher.index([[1, 2, 3, 1, 2], [2, 3], [3, 1]], 2)
    assert found.counts(hasher.row([1, 2, 3], 2)).tolist() == [1, 2]
    assert found.holders_of(hasher.row([1, 2, 3], 2)).tolist() == [0, 0, 1]
    assert found.counts(hasher.row([2, 1], 2)).tolist() == [0]


def test_holders_may_be_groups_of_texts() -> None:
    hasher = WindowHasher(4)
    found = hasher.index([[1, 2], [1, 2], [1, 2]], 2, [0, 0, 1])
    assert found.counts(hasher.row([1, 2], 2)).tolist() == [2]


def test_shorter_texts_have_no_windows() -> None:
    hasher = WindowHasher(3)
    assert hasher.index([[1], [2]], 3).hashes.size == 0
    assert hasher.index([], 3).holders.size == 0
    assert hasher.row([1, 2], 3).size == 0
    assert hasher.index([[1, 2]], 2).holders_of(hasher.row([], 2)).size == 0
