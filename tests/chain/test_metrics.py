"""Non-inferiority at a hop: one bound a metric, and a family of them over the chain for a loss."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.chain.hop import MetricResult
from harness.chain.metrics import compare_metrics
from harness.records.plan import PlannedRequest
from tests.builders import make_run, shop, usual


def results(
    folder: Path, wrong: int, hops: int = 1, margin: float = 0.05
) -> dict[str, MetricResult]:
    """The metrics of a hop after which so many of the forty facts are lost."""
    project, suites = shop(folder)

    def later(target: str, ask: PlannedRequest) -> str:
        lost = ask.section == "gold" and int(ask.case.id[1:]) < wrong
        return "No idea." if lost else usual("candidate", ask)

    before = make_run(project, suites, "base", lambda _, ask: usual("candidate", ask))
    after = make_run(project, suites, "candidate", later)
    found = compare_metrics(before, after, suites, 0.05, hops, margin)
    return {one.metric: one for one in found}


@pytest.mark.parametrize(
    ("wrong", "outcome"), [(0, "cannot tell"), (4, "cannot tell"), (20, "different")]
)
def test_a_loss_beyond_the_margin_is_told(wrong: int, outcome: str, tmp_path: Path) -> None:
    """Forty cases without a difference leave room for a loss of more than five points."""
    found = results(tmp_path, wrong)["shop.gold.accuracy"]
    assert found.outcome == outcome
    assert found.before == 1.0
    assert found.after == 1.0 - wrong / 40


def test_no_difference_is_the_same_within_a_margin_that_the_cases_can_tell(tmp_path: Path) -> None:
    found = results(tmp_path, 0, margin=0.2)
    assert {one.outcome for one in found.values()} == {"same"}


def test_a_longer_chain_asks_for_more_before_it_calls_a_loss(tmp_path: Path) -> None:
    """Eleven of forty at alpha 0.05, shared by seven metrics of one hop or of a thousand."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    assert results(tmp_path / "a", 11)["shop.gold.accuracy"].outcome == "different"
    assert results(tmp_path / "b", 11, 1000)["shop.gold.accuracy"].outcome == "cannot tell"
