from __future__ import annotations

import numpy as np
import pytest

from harness.labels.weights import group_weights
from harness.records.label import Label
from tests.labels.builders import label

GROUPS = {str(number): f"group-{number // 2}" for number in range(40)}


def drawn(groups: set[str], chances: dict[str, float], sample: str) -> list[Label]:
    return [
        label(case=case, probability=chances[group], sample=sample)
        for case, group in GROUPS.items()
        if group in groups
    ]


def test_a_group_of_one_sample_stands_for_as_many_as_its_chance_says() -> None:
    chances = {"group-0": 0.5, "group-1": 0.25}
    assert group_weights(drawn(set(chances), chances, ""), GROUPS) == {"group-0": 2, "group-1": 4}


@pytest.mark.parametrize("apart", [True, False], ids=["independent", "one within the other"])
def test_samples_together_count_every_group_once_on_average(apart: bool) -> None:
    """A sample where a look is worth most and an even one, of equal size on average."""
    names = sorted(set(GROUPS.values()))
    chances = (
        {name: 0.8 if number < 5 else 0.2 for number, name in enumerate(names)},
        dict.fromkeys(names, 0.35),
    )
    draw = np.random.default_rng(0)
    total = dict.fromkeys(names, 0.0)
    times = 4000
    for _ in range(times):
        first = draw.random(len(names))
        rolls = (first, draw.random(len(names)) if apart else first)
        labels = [
            each
            for number, (own, roll) in enumerate(zip(chances, rolls, strict=True))
            for each in drawn(
                {name for name, at in zip(names, roll, strict=True) if at < own[name]},
                own,
                str(number),
            )
        ]
        for name, weight in group_weights(labels, GROUPS).items():
            total[name] += weight / times
    assert list(total.values()) == pytest.approx([1.0] * len(names), abs=0.15)


def test_without_labels_there_are_no_weights() -> None:
    assert group_weights([], GROUPS) == {}
