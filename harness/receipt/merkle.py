"""A Merkle tree over records, and what a sample of them shows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable


def leaf(record: bytes) -> bytes:
    """The hash of a record as a leaf (RFC 9162, 2.1.1)."""
    return hashlib.sha256(b"\0" + record).digest()


def root(leaves: Iterable[bytes]) -> bytes:
    """The head of the tree over the leaves' hashes (RFC 9162, 2.1.1).

    A tree splits at the largest power of two below its size, so that whole subtrees of equal size
    can be joined as they are completed.
    """
    stack: list[tuple[int, bytes]] = []
    for each in leaves:
        stack.append((1, each))
        while len(stack) > 1 and stack[-1][0] == stack[-2][0]:
            (size, right), (_, left) = stack.pop(), stack.pop()
            stack.append((2 * size, _node(left, right)))
    if not stack:
        return hashlib.sha256(b"").digest()
    _, head = stack.pop()
    while stack:
        head = _node(stack.pop()[1], head)
    return head


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()


def chance_seen(records: int, sample: int, changed: int) -> float:
    """The chance that a sample without replacement holds one of the changed records.

    Hypergeometric: 1 - C(records - changed, sample) / C(records, sample).

    Raises:
        ValueError: more in the sample, or changed, than there are records.
    """
    if not 0 <= sample <= records or not 0 <= changed <= records:
        raise ValueError("more than there are records")
    missed = 1.0
    for drawn in range(sample):
        missed *= max(0, records - changed - drawn) / (records - drawn)
    return 1.0 - missed
