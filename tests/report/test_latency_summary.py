"""What a measurement of latency found, in a few words."""

from __future__ import annotations

import pytest

from harness.records.latency import Bounded
from harness.report.latency_content import LatencyContent
from harness.report.latency_summary import found_words
from tests.report.measured import load, section


@pytest.mark.parametrize(
    ("ratio", "control", "told"),
    [
        ((4.9, 4.1, 5.6), (0.9, 1.1), "4.9 times slower to the first word"),
        ((0.4, 0.3, 0.5), (0.9, 1.1), "2.5 times faster to the first word"),
        ((1.2, 1.1, 1.3), (0.9, 1.1), "20 % slower to the first word"),
        ((1.2, 0.9, 1.3), (0.9, 1.1), "no difference to the first word that could be told"),
        ((1.2, 1.1, 1.3), (0.7, 1.4), "no difference to the first word that could be told"),
        ((1.001, 1.0005, 1.002), (1.0, 1.0), "no difference to the first word that matters"),
    ],
)
def test_what_was_found_is_told_in_a_few_words(
    ratio: tuple[float, float, float], control: tuple[float, float], told: str
) -> None:
    made = load()
    metrics = tuple(
        one.model_copy(
            update={
                "ratio": Bounded(estimate=ratio[0], low=ratio[1], high=ratio[2]),
                "control": Bounded(estimate=1.0, low=control[0], high=control[1]),
            }
        )
        for one in made.metrics
    )
    found = section(made.model_copy(update={"metrics": metrics}))
    assert found_words(found) == told
    assert LatencyContent(found, "good", "base", ()).found == told
    nothing = section(made.model_copy(update={"metrics": ()}))
    assert found_words(nothing) == ""
