"""Receipts of what is more than answers to cases: Python tests, and a measurement of latency."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.golden.latency_gates import configure, ratio
from tests.golden.measured import Pace, measure
from tests.golden.scenarios import Scenario, Stage, played
from tests.golden.worlds import BROAD, TESTED, World

RECEIPT = "baselines/good.unsigned.intoto.jsonl"


def with_latency(stage: Stage) -> None:
    configure(stage, ratio(value=1.3))
    measure(stage.project, "good", Pace(1.0))


@pytest.mark.parametrize(
    ("world", "prepare", "told"),
    [
        (TESTED, None, "are not scored again, such as those of tests"),
        (BROAD, with_latency, "272 answers were scored again"),
    ],
    ids=["python tests", "latency"],
)
def test_they_are_sealed_and_verified(
    world: World, prepare: object, told: str, tmp_path: Path
) -> None:
    def play(stage: Stage) -> None:
        if callable(prepare):
            prepare(stage)
        stage.gate("good")
        assert stage.call("promote", "good", "--trust-stored") == 0
        assert stage.call("verify", RECEIPT) == 0

    parts = played(Scenario("one", world, play), tmp_path, tmp_path / "project", checking=True)
    assert told in parts[f"harness verify {RECEIPT} -> 0.txt"]
