"""The stored noise of a baseline, put beside a verdict."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pydantic import ValidationError

from harness.config import Project
from harness.files import read_bytes
from harness.records.noise import Noise
from harness.records.run import Run
from harness.records.verdict import Verdict


def with_noise(
    project: Project, verdict: Verdict, baseline: Run, say: Callable[[str], None]
) -> Verdict:
    """The verdict with the baseline's stored noise beside its rules, where there is one that fits.

    Noise that was measured on something else is left out, and `say` is told so.
    """
    known = _stored(project, baseline, say)
    return verdict if known is None else verdict.with_noise(known.by_metric())


def noise_path(project: Project, target: str) -> Path:
    """Where the noise of a target is kept."""
    return project.noise / f"{target}.json"


def _stored(project: Project, baseline: Run, say: Callable[[str], None]) -> Noise | None:
    name = baseline.header.target
    # A sealed run's target may be gone from the configuration, or never have been there.
    data = read_bytes(noise_path(project, name)) if name in project.config.targets else None
    if data is None:
        return None
    try:
        noise = Noise.model_validate_json(data)
        reason = noise.misfit(baseline.header)
    except ValidationError:
        reason = "the file is damaged"
    if reason:
        say(
            f"the stored noise of `{name}` is left out: {reason} - "
            f"{_remedy(project, baseline)} measures it again"
        )
        return None
    return noise


def _remedy(project: Project, baseline: Run) -> str:
    """The command that measures the noise of a run that was made like this one."""
    name = baseline.header.target
    usual, asked = project.generation(name), baseline.header.generation
    how = f"`harness gate --aa --baseline {name}"
    if asked.get("concurrency", usual.concurrency) != usual.concurrency:
        how += f" -j {asked['concurrency']}"
    if asked.get("repeats", usual.repeats) != usual.repeats:
        return f"{how}` with `generation.repeats: {asked['repeats']}`"
    return f"{how}`"
