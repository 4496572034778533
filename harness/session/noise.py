"""The noise of a baseline: measured, kept, and put beside a verdict."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from pydantic import ValidationError

from harness.clock import SYSTEM_CLOCK, iso
from harness.config import SEALED, Project
from harness.errors import UsageError
from harness.files import read_bytes, write_atomic
from harness.gate.noise import measure_noise
from harness.records.noise import Noise
from harness.records.run import Run, Watcher
from harness.records.verdict import Verdict
from harness.run.engine import run
from harness.run.plan import Selection
from harness.run.resume import Reuse
from harness.session.context import open_context

FEWEST = 2
APART = ".harness/noise"


def measure_baseline(
    project: Project, baseline: str | None, selection: Selection, watcher: Watcher, *, anew: bool
) -> Noise:
    """How the askings of a baseline differ that is asked everything afresh, more than once; kept.

    The selection's repeats are the askings, each of as many attempts at a case as a gate makes.
    A measurement that was broken off goes on, unless it is to begin `anew`. Its answers are kept
    apart, so that a gate neither finds them nor loses its own.

    Raises:
        UsageError: the baseline is sealed, a suite is left out, or there is one asking only.
        EvidenceError: too few answers could be scored, or a rule cannot be judged.
    """
    name = project.policy().baseline if baseline is None else baseline
    if name.startswith(SEALED):
        raise UsageError(
            f"`{name}` cannot be asked again", hint="name a live target with --baseline"
        )
    context = open_context(project, [], baseline, selection.suites)
    if len(context.suites) < len(project.config.suites):
        raise UsageError("--aa measures all suites together", hint="leave --suite away")
    askings = FEWEST if selection.repeats is None else selection.repeats
    if askings < FEWEST:
        raise UsageError("--aa compares two askings at least", hint="give --repeats 2 or more")
    repeats = project.generation(name).repeats
    wanted = replace(selection, repeats=askings * repeats)
    reuse: Reuse = "nothing" if anew else "measured"
    apart = replace(project, working=APART)
    done = run(apart, [name], context.suites, watcher, wanted, reuse=reuse)[name]
    moment = iso(SYSTEM_CLOCK.utc())
    noise = measure_noise(done, context.suites, context.policy, moment, repeats)
    write_atomic(noise_path(project, name), noise.model_dump_json(indent=2) + "\n")
    return noise


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
