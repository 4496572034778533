"""Measurements of latency and of noise, as far as no server is needed."""

from __future__ import annotations

import pytest

from harness.config import Project
from harness.errors import UsageError
from harness.records.noise import MetricNoise, Noise
from harness.records.run import RunRecord
from harness.run.plan import Selection
from harness.session.context import open_context
from harness.session.measurements import (
    contest,
    measure_baseline,
    noise_path,
    stored_section,
    with_noise,
)
from tests.builders import make_run
from tests.report.fixtures import pair


class Silent:
    def say(self, text: str) -> None:
        pass

    def progress(self, stage: str, done: int, total: int, detail: str) -> None:
        pass


def test_two_different_targets_are_measured(project: Project) -> None:
    with pytest.raises(UsageError, match="`base` is the baseline itself"):
        contest(project, "base", "base", project.config.latency)
    with pytest.raises(UsageError, match="no target `nobody`"):
        contest(project, "nobody", "base", project.config.latency)


def test_a_measurement_that_was_never_made_is_said_to_be_missing(project: Project) -> None:
    wanted = contest(project, "candidate", "base", project.config.latency)
    assert (wanted.candidate, wanted.baseline) == ("candidate", "base")
    with pytest.raises(UsageError, match="no finished measurement of `candidate` against `base`"):
        stored_section(project, wanted)


@pytest.mark.parametrize(
    ("baseline", "selection", "message"),
    [
        ("sealed:old", Selection(), "`sealed:old` cannot be asked again"),
        ("base", Selection(repeats=1), "--aa compares two askings at least"),
    ],
)
def test_noise_needs_a_live_baseline_and_two_rounds(
    project: Project, baseline: str, selection: Selection, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        measure_baseline(project, baseline, selection, Silent(), anew=False)


def test_the_noise_of_a_target_has_a_file_of_its_own(project: Project) -> None:
    assert noise_path(project, "base") == project.noise / "base.json"


@pytest.mark.parametrize(
    ("baseline", "selection", "said"),
    [
        ("sealed:v1", Selection(), "`sealed:v1` cannot be asked again"),
        (None, Selection(repeats=1), "--aa compares two askings at least"),
        ("nobody", Selection(), "no target `nobody`"),
    ],
)
def test_what_cannot_be_measured_is_said_before_anything_is_asked(
    project: Project, baseline: str | None, selection: Selection, said: str
) -> None:
    with pytest.raises(UsageError) as caught:
        measure_baseline(project, baseline, selection, Silent(), anew=False)
    assert said in caught.value.what
    assert not project.noise.exists()


def stored(project: Project, run: RunRecord, **changes: object) -> Noise:
    """The noise of the run's target, kept where the project looks for it."""
    header = run.header
    noise = Noise(
        target=header.target, run=header.run_id, identity=header.identity,
        system_prompts=header.system_prompts, suites=header.suites, generation=header.generation,
        alpha=0.05, askings=2, repeats=1, pairs=1, sections=(),
        metrics=(MetricNoise(metric="support.scope.f1", value=0.5, noise=0.25, largest=0.25),),
        rules=(), verdicts={}, flip_rate=0.0, created="2026-01-01T00:00:00Z",
    ).model_copy(update=changes)  # fmt: skip
    path = noise_path(project, header.target)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(noise.model_dump_json())
    return noise


def test_noise_comes_back_from_the_disk_and_stands_beside_its_metric(project: Project) -> None:
    run = make_run(project, open_context(project, [], None, ()).suites, "base")
    verdict, _ = pair("BLOCK")
    said: list[str] = []
    assert with_noise(project, verdict, run, said.append) is verdict
    noise = stored(project, run)
    assert Noise.model_validate_json(noise_path(project, "base").read_bytes()) == noise
    beside = with_noise(project, verdict, run, said.append)
    found = {rule.metric: rule.noise for rule in beside.rules}
    assert found["support.scope.f1"] == 0.25
    assert {value for metric, value in found.items() if metric != "support.scope.f1"} == {None}
    assert beside.verdict == verdict.verdict
    assert said == []


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"suites": {"shop": "sha256:other"}}, "the suites are others"),
        ({"repeats": 3}, "it is of 3 attempts a case, the run has 1"),
        ({"target": "other"}, "it is of `other`"),
    ],
)
def test_noise_of_something_else_is_left_out_and_said(
    project: Project, changes: dict[str, object], reason: str
) -> None:
    run = make_run(project, open_context(project, [], None, ()).suites, "base")
    verdict, _ = pair("BLOCK")
    stored(project, run, **changes)
    said: list[str] = []
    assert with_noise(project, verdict, run, said.append) is verdict
    assert said == [
        (
            f"the stored noise of `base` is left out: {reason} - "
            "`harness gate --aa --baseline base` measures it again"
        )
    ]


def test_a_damaged_file_is_left_out_and_said(project: Project) -> None:
    run = make_run(project, open_context(project, [], None, ()).suites, "base")
    stored(project, run)
    noise_path(project, "base").write_text("{}")
    said: list[str] = []
    verdict, _ = pair("BLOCK")
    assert with_noise(project, verdict, run, said.append) is verdict
    assert "left out: the file is damaged - " in said[0]
