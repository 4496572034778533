"""Timing: from a candidate's name to its latency section, measured now or read again."""

from __future__ import annotations

from dataclasses import replace

from harness.config import SEALED, Project
from harness.errors import EvidenceError, UsageError
from harness.journal.measurement import MeasurementFolder
from harness.records.comparison import Comparison
from harness.records.latency import LatencySection, LatencySettings
from harness.records.verdict import Verdict
from harness.stages.latency.analyse import analyse, digest
from harness.stages.latency.judge import latency_rules
from harness.stages.latency.measure import Contest, measure, measurements
from harness.stages.load import load_suites
from harness.stages.seal import open_sealed
from harness.stages.watcher import Watcher

DEFAULT_ALPHA = 0.05


def measured(
    project: Project,
    candidate: str,
    baseline: str,
    settings: LatencySettings,
    watcher: Watcher,
    *,
    anew: bool = False,
) -> LatencySection:
    """What a measurement of the pair finds; a sealed baseline stands for the target it was.

    Raises:
        UsageError: a name that does not exist, or two that cannot be measured against each other.
        EvidenceError: the candidate's adapter has no effect, or vanishes.
        ServerError: the server does not start, refuses, or is gone.
    """
    policy = project.config.gate
    suites = load_suites(project)
    live = live_baseline(project, baseline)
    project.target(candidate)
    if candidate == live:
        raise UsageError(
            f"`{candidate}` is the baseline itself", hint="name another target as candidate"
        )
    contest = Contest(
        candidate=candidate,
        baseline=live,
        suites=suites,
        settings=settings,
        alpha=DEFAULT_ALPHA if policy is None else policy.alpha,
        rules=latency_rules(policy),
    )
    folder = measure(project, contest, watcher, anew=anew)
    return _section(folder)


def stored_section(project: Project, candidate: str, baseline: str) -> LatencySection:
    """What the pair's newest finished measurement found, worked out again from its records.

    Raises:
        UsageError: there is none.
        JournalError: it is damaged.
    """
    for path in reversed(measurements(project, candidate, live_baseline(project, baseline))):
        folder = MeasurementFolder(path)
        header = folder.header()
        if header is not None and header.finished:
            return _section(folder)
    raise UsageError(
        f"there is no finished measurement of `{candidate}` against `{baseline}`",
        hint=f"harness latency {candidate}",
    )


def as_judged(project: Project, verdict: Verdict, comparison: Comparison) -> Comparison:
    """The comparison with the latency that its verdict was given on, worked out again.

    Raises:
        EvidenceError: the measurement is gone, or another than it was.
    """
    if verdict.latency is None:
        return comparison
    hint = f"harness gate {verdict.candidate}"
    path = project.measurements / verdict.latency.measurement
    folder = MeasurementFolder(path)
    if folder.header() is None:
        raise EvidenceError("the measurement is gone", where=str(path), hint=hint)
    if _digest(folder) != verdict.latency.digest:
        raise EvidenceError("the measurement is another than it was", where=str(path), hint=hint)
    return replace(comparison, latency=_section(folder))


def live_baseline(project: Project, baseline: str) -> str:
    """The target that stands for the baseline: of a sealed one, that which it was sealed from.

    Raises:
        UsageError: there is no such target.
    """
    name = baseline
    if baseline.startswith(SEALED):
        sealed = open_sealed(baseline.removeprefix(SEALED), load_suites(project), project.baselines)
        name = sealed.header.target
    project.target(name)
    return name


def _digest(folder: MeasurementFolder) -> str:
    header = folder.header()
    return "" if header is None else digest(header, folder.blocks())


def _section(folder: MeasurementFolder) -> LatencySection:
    header = folder.header()
    if header is None:
        raise EvidenceError("no measurement there", where=str(folder.path))
    try:
        return analyse(header, folder.blocks())
    except ValueError as error:
        raise EvidenceError(
            f"holds what cannot have been measured: {error}", where=str(folder.path)
        ) from None
