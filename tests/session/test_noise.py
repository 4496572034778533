"""The noise of a baseline: what cannot be measured, and what is put beside a verdict."""

from __future__ import annotations

from pathlib import Path

import pytest
from harness.session.noise import measure_baseline, noise_path, with_noise

from harness.config import Project, load_project
from harness.errors import UsageError
from harness.records.noise import MetricNoise, Noise
from harness.records.run import Run
from harness.run.plan import Selection
from harness.session.context import open_context
from tests.builders import make_run
from tests.report.fixtures import pair
from tests.session.test_gate import Silent


@pytest.fixture
def project(project_dir: Path) -> Project:
    return load_project(project_dir / "harness.yaml")


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


def stored(project: Project, run: Run, **changes: object) -> Noise:
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
