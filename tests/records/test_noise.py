"""Noise fits the runs that were made like those it was measured on, and no others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.records.noise import MetricNoise, Noise
from harness.records.run import RunHeader
from tests.builders import make_run, shop


@pytest.fixture
def header(tmp_path: Path) -> RunHeader:
    project, suites = shop(tmp_path)
    return make_run(project, suites, "base").header


def measured(header: RunHeader) -> Noise:
    return Noise(
        target=header.target, run=header.run_id, identity=header.identity,
        system_prompts=header.system_prompts, suites=header.suites, generation=header.generation,
        alpha=0.05, askings=2, repeats=1, pairs=1, sections=(),
        metrics=(MetricNoise(metric="shop.gold.accuracy", value=0.5, noise=0.1, largest=0.2),),
        rules=(), verdicts={"PROMOTE": 2}, flip_rate=0.0, created="2026-01-01T00:00:00Z",
    )  # fmt: skip


def test_it_comes_back_from_the_disk(header: RunHeader, tmp_path: Path) -> None:
    noise = measured(header)
    (tmp_path / "noise.json").write_text(noise.model_dump_json())
    assert Noise.model_validate_json((tmp_path / "noise.json").read_bytes()) == noise
    assert noise.by_metric() == {"shop.gold.accuracy": 0.1}


def test_a_run_made_alike_fits(header: RunHeader) -> None:
    assert measured(header).misfit(header) == ""
    # A run on a part of the suites that were measured fits too.
    noise = measured(header)
    more = noise.model_copy(update={"suites": {**noise.suites, "other": "sha256:o"}})
    assert more.misfit(header) == ""


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"target": "other"}, "it is of `base`"),
        ({"suites": {"shop": "sha256:other"}}, "the suites are others"),
        ({"system_prompts": {"shop": "Be rude."}}, "the system prompt is another"),
        ({"generation": {"temperature": 1.0}}, "the sampling settings are others"),
        ({"generation": {"repeats": 3}}, "it is of 1 attempt a case, the run has 3"),
        (
            {"generation": {"concurrency": 9}},
            "it was measured with 8 requests at once, the run had 9",
        ),
    ],
)
def test_what_sets_a_run_apart_is_said(
    header: RunHeader, change: dict[str, Any], said: str
) -> None:
    update = dict(change)
    if "generation" in update:
        update["generation"] = {**header.generation, **update["generation"]}
    assert measured(header).misfit(header.model_copy(update=update)) == said


def test_another_server_is_another_model(header: RunHeader) -> None:
    identity = header.identity.model_copy(update={"server_version": "2"})
    other = header.model_copy(update={"identity": identity})
    assert measured(header).misfit(other) == "the model or its server is another"
