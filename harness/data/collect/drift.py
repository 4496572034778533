"""How far the mix of questions has moved, with an interval."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.data.collect.groups import Collected, share_of
from harness.stats import Interval, independent_difference

SHOWN = 5


@dataclass(frozen=True, slots=True)
class Moved:
    """One group whose share has changed, with both shares."""

    group: str
    share: float
    before: float


@dataclass(frozen=True, slots=True)
class Drift:
    """How far a mix is from another one.

    `least` is the difference between the two of the share of some groups, which were chosen on one
    half of the users and measured on the other half: the total variation distance is at least that.
    `moved` are the groups with the largest differences of shares, measured on all.
    """

    least: Interval
    moved: tuple[Moved, ...]


def drift_from_before(collected: Collected) -> Drift | None:
    """How far the requests are from the earlier ones; None where there are too few users."""
    now = _halves(collected.now, collected.now_users)
    then = _halves(collected.then, collected.then_users)
    grown = _grown(now[0][0], Counter(then[0][0]))
    ours, theirs = share_of(*now[1], grown), share_of(*then[1], grown)
    if ours is None or theirs is None:
        return None
    least = independent_difference(ours, theirs)
    return Drift(least, _moved(collected.now, Counter(collected.then)))


def drift_from_suite(collected: Collected) -> Drift | None:
    """How far the requests that a case covers are from the suites' cases; None with too few users.

    The cases are no sample: their shares are what they are.
    """
    covered = {one.name for one in collected.groups if one.cases}
    pairs = zip(collected.now, collected.now_users, strict=True)
    kept = [(group, user) for group, user in pairs if group in covered]
    groups, of_users = [one[0] for one in kept], [one[1] for one in kept]
    chosen, held = _halves(groups, of_users)
    grown = _grown(chosen[0], collected.suite)
    ours = share_of(*held, grown)
    if ours is None:
        return None
    share = sum(collected.suite[group] for group in grown) / max(1, collected.suite.total())
    known = Interval(share, share, share, 0.0, collected.suite.total(), len(collected.suite))
    return Drift(independent_difference(ours, known), _moved(groups, collected.suite))


Half = tuple[list[str], list[str]]  # the groups of requests, and their users


def _halves(groups: Sequence[str], of_users: Sequence[str]) -> tuple[Half, Half]:
    """The requests of half of the users, drawn once and for all, and those of the others."""
    known = sorted(set(of_users))
    drawn = np.random.default_rng(0).permutation(len(known))[: len(known) // 2]
    first = {known[number] for number in drawn}
    halves: tuple[Half, Half] = ([], []), ([], [])
    for group, user in zip(groups, of_users, strict=True):
        half = halves[user not in first]
        half[0].append(group)
        half[1].append(user)
    return halves


def _grown(groups: Sequence[str], before: Counter[str]) -> set[str]:
    """The groups whose share is larger than before."""
    now, size, old = Counter(groups), max(1, len(groups)), max(1, before.total())
    return {group for group, count in now.items() if count / size > before[group] / old}


def _moved(groups: Sequence[str], before: Counter[str]) -> tuple[Moved, ...]:
    now, size, old = Counter(groups), max(1, len(groups)), max(1, before.total())
    shares = {
        group: (now[group] / size, before[group] / old) for group in sorted(now.keys() | before)
    }
    order = sorted(shares, key=lambda group: -abs(shares[group][0] - shares[group][1]))
    return tuple(Moved(group, *shares[group]) for group in order[:SHOWN])
