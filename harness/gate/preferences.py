"""What people's preferences say of several targets at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from harness.gate.duplicates import merged_groups
from harness.labels.weights import group_weights
from harness.records.label import PREFERRED_OVER, Label
from harness.records.preferences import Duel, Preferences, PreferredShare
from harness.records.suite import Suite
from harness.stats.bradley_terry import Strength, bradley_terry
from harness.stats.clusters import Floats

Item = tuple[str, str, str, int, str, str]  # suite, section, case, repeat, and both targets
Group = tuple[str, str, str]


def preferences(
    labels: Mapping[str, Sequence[Label]], suites: Sequence[Suite], alpha: float
) -> Preferences | None:
    """What people prefer of the targets; None where nobody preferred one to another.

    `labels` has, by target, those that hold for its answers. A preference counts where both of its
    answers are still what was shown. The groups of a sample count by the chance of being drawn.
    """
    chosen = _chosen(labels)
    if not chosen:
        return None
    names = [name for name in labels if any(name in item[-2:] for item in chosen)]
    groups = _groups(suites)
    weights = _weights((label for each in chosen.values() for label in each), groups)
    by_group: defaultdict[Group, list[Item]] = defaultdict(list)
    for item in chosen:
        by_group[_group(item, groups)].append(item)
    shape = (len(by_group), len(names), len(names))
    wins, ties = np.zeros(shape), np.zeros(shape)
    counts = [np.zeros(shape[1:]), np.zeros(shape[1:])]
    for place, (group, items) in enumerate(by_group.items()):
        for item in items:
            one, other = names.index(item[-2]), names.index(item[-1])
            won, tied, lost = _outcome(chosen[item])
            for table, scale in ((wins[place], weights[group]), (counts[0], 1.0)):
                table[one, other] += scale * won
                table[other, one] += scale * lost
            for table, scale in ((ties[place], weights[group]), (counts[1], 1.0)):
                table[min(one, other), max(one, other)] += scale * tied
    reason = ""
    strengths: tuple[Strength, ...] = ()
    try:
        strengths = bradley_terry(wins, ties, alpha=alpha)
    except ValueError as error:
        reason = str(error)
    shares = tuple(
        PreferredShare(name, each.estimate, each.low, each.high)
        for name, each in zip(names, strengths, strict=False)
    )
    raters = {label.rater for each in chosen.values() for label in each}
    duels = _duels(names, *counts)
    return Preferences(duels, shares, len(raters), len(chosen), len(by_group), reason)


def _chosen(labels: Mapping[str, Sequence[Label]]) -> dict[Item, list[Label]]:
    """The words on each pair of answers, as labels of the one whose target's name comes first."""
    sides: dict[tuple[Item, str], dict[str, Label]] = {}
    for target, own in labels.items():
        for label in own:
            other = label.criterion.removeprefix(PREFERRED_OVER)
            if other == label.criterion or other not in labels or label.value is None:
                continue
            one, two = sorted((target, other))
            item = (label.suite, label.section, label.case, label.repeat, one, two)
            sides.setdefault((item, label.rater), {})[target] = label
    found: defaultdict[Item, list[Label]] = defaultdict(list)
    for (item, _), both in sides.items():
        if len(both) == 2:
            found[item].append(both[item[-2]])
    return dict(found)


def _outcome(labels: Sequence[Label]) -> tuple[float, float, float]:
    """The shares of the raters who found the first better, neither, and the second."""
    values = [label.value for label in labels]
    won, lost = values.count(1.0) / len(values), values.count(0.0) / len(values)
    return won, 1.0 - won - lost, lost


def _groups(suites: Sequence[Suite]) -> dict[tuple[str, str], dict[str, str]]:
    """The group of each case of a section, copies of a question in one."""
    merged = merged_groups(suites)
    return {
        (suite.name, section.name): {
            case.id: merged.get(f"{suite.name}.{section.name}", {}).get(case.group, case.group)
            for case in section.cases
        }
        for suite in suites
        for section in suite.sections
    }


def _group(item: Item, groups: Mapping[tuple[str, str], Mapping[str, str]]) -> Group:
    suite, section, case, *_ = item
    return suite, section, groups[suite, section][case]


def _weights(
    labels: Iterable[Label], groups: Mapping[tuple[str, str], Mapping[str, str]]
) -> dict[Group, float]:
    """How much each group counts, 1 on average."""
    by_place: defaultdict[tuple[str, str], list[Label]] = defaultdict(list)
    for label in labels:
        by_place[label.place].append(label)
    found = {
        (*place, group): weight
        for place, own in by_place.items()
        for group, weight in group_weights(own, groups[place]).items()
    }
    mean = sum(found.values()) / len(found)
    return {group: weight / mean for group, weight in found.items()}


def _duels(names: Sequence[str], wins: Floats, ties: Floats) -> tuple[Duel, ...]:
    found = (
        Duel(
            *(one, other, float(wins[at, place]), float(ties[at, place])),
            float(wins[place, at]),
        )
        for at, one in enumerate(names)
        for place, other in enumerate(names)
        if at < place
    )
    return tuple(duel for duel in found if duel.won + duel.tied + duel.lost > 0.0)
