"""Conversations that are there twice, and questions that are nearly the same."""

from __future__ import annotations

from collections.abc import Iterator

from harness.data.lint.check import CheckSettings, Inspection, found
from harness.data.lint.pairs import MOST_COMPARED, Compared
from harness.records.finding import Finding


class Duplicates:
    """Finds `duplicate`, `near-duplicate` and `not-compared`."""

    name = "duplicates"
    about = "the same conversation twice; nearly the same question in two groups"

    def begin(self, settings: CheckSettings) -> Inspection:
        """A new inspection."""
        del settings
        return _Inspection()


class _Inspection(Inspection):
    def finish(self, compared: Compared) -> Iterator[Finding]:
        first: dict[bytes, int] = {}
        for number, digest in enumerate(compared.whole):
            if first.setdefault(digest, number) != number:
                what = f"the same conversation as {compared.places[first[digest]]}: drop one"
                yield found(compared.places[number], "duplicate", what)
        yield from _near(compared)
        left = compared.total - len(compared)
        if left:
            what = f"only the first {MOST_COMPARED:,} conversations are compared with each other"
            yield found(compared.places[-1], "not-compared", f"{what}, {left:,} more are not")


def _near(compared: Compared) -> Iterator[Finding]:
    """The later one of each two that are nearly the same and not of one group."""
    told: set[int] = set()
    for pair in compared.pairs:
        one, other = compared.groups[pair.first], compared.groups[pair.second]
        same = compared.whole[pair.first] == compared.whole[pair.second]
        if pair.second in told or same or (one and one == other):
            continue
        told.add(pair.second)
        how = "the same" if pair.same else "nearly the same"
        place = compared.places[pair.first]
        what = (
            f"asks {how} as {place}, in another group: give them one `group`, or drop one"
            if one or other
            else f"asks {how} as {place}: drop one, or give them one `group`"
        )
        yield found(compared.places[pair.second], "near-duplicate", what, place)
