"""Measurements of latency and of noise, as far as no server is needed."""

from __future__ import annotations

import pytest

from harness.config import Project
from harness.errors import UsageError
from harness.run.plan import Selection
from harness.session.measurements import contest, measure_baseline, noise_path, stored_section


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
