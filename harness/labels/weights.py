"""How many groups of the section each labelled group stands for, whichever samples drew it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from harness.records.label import Label


def group_weights(labels: Iterable[Label], group_of: Mapping[str, str]) -> dict[str, float]:
    """The weight of each group with labels, by its name; `group_of` has the group of each case.

    In one sample that is one over the chance with which the group came into it (Horvitz & Thompson
    1952, Journal of the American Statistical Association 47). Of several samples each gives such
    weights, and theirs are averaged, a sample counting by how many groups it holds: the mean weight
    of every group is 1 over all draws, whether samples overlap or not.
    """
    chances: defaultdict[str, dict[str, float]] = defaultdict(dict)
    for label in labels:
        known = chances[label.sample]
        group = group_of[label.case]
        known[group] = min(known.get(group, 1.0), label.probability)
    total = sum(map(len, chances.values()))
    found: defaultdict[str, float] = defaultdict(float)
    for known in chances.values():
        for group, chance in known.items():
            found[group] += len(known) / total / chance
    return dict(found)
