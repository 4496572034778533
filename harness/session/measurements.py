"""Measurements beside the answers: latency of two targets, and noise of a baseline."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from pydantic import ValidationError

from harness.clock import SYSTEM_CLOCK, iso
from harness.config import SEALED, Project
from harness.errors import EvidenceError, UsageError
from harness.files import read_bytes, write_atomic
from harness.gate.judge import check_policy
from harness.gate.noise import measure_noise
from harness.latency.analyse import analyse, digest
from harness.latency.deployments import check_servers
from harness.latency.latency_rule import latency_rules
from harness.latency.measure import Contest, measure, measurements, metrics_of
from harness.latency.rounds import check_length
from harness.records.comparison import ComparisonRecord
from harness.records.latency import Arm, LatencySection, LatencySettings, Measurement
from harness.records.noise import Noise
from harness.records.run import RunRecord, Watcher
from harness.records.suite import Suite
from harness.records.verdict import Verdict
from harness.run.engine import run
from harness.run.plan import Selection
from harness.run.resume import Reuse
from harness.sections.section_kinds import load_suites
from harness.session.context import open_context, sealed_run
from harness.storage.working_files import MeasurementFolder
from harness.targets.identity import is_still
from harness.targets.models import fetch_models

DEFAULT_ALPHA = 0.05


def contest(project: Project, candidate: str, baseline: str, settings: LatencySettings) -> Contest:
    """Who is to be measured against whom and how, as far as that can be said without a server.

    A sealed baseline stands for the target that it was sealed from.

    Raises:
        UsageError: a name that does not exist, or two that cannot be measured against each other.
        EvidenceError: the sealed baseline's target is no longer what was sealed.
    """
    policy = project.config.gate
    suites = load_suites(project)
    if policy is not None:
        check_policy(policy, suites, project.place)
    project.target(candidate)
    live = live_target(project, baseline, suites)
    if candidate == live:
        raise UsageError(
            f"`{candidate}` is the baseline itself", hint="name another target as candidate"
        )
    check_servers(project, candidate, live, settings)
    check_length(project, (candidate, live), settings)
    return Contest(
        candidate=candidate,
        baseline=live,
        suites=suites,
        settings=settings,
        alpha=DEFAULT_ALPHA if policy is None else policy.alpha,
        rules=latency_rules(policy),
    )


def measured(
    project: Project,
    chosen: Contest,
    watcher: Watcher,
    *,
    stored: bool = False,
    anew: bool = False,
) -> LatencySection:
    """What a measurement finds, or the newest that is `stored`; see `stored_section`.

    Raises:
        UsageError: the server refuses a prompt, or a file is missing.
        EvidenceError: the candidate's adapter has no effect, or vanishes.
        ServerError: the server does not start, refuses, or is gone.
    """
    if stored:
        return stored_section(project, chosen)
    return _section(measure(project, chosen, watcher, anew=anew))


def stored_section(project: Project, chosen: Contest) -> LatencySection:
    """What the newest finished measurement of that kind found, worked out again from its records.

    Both targets must still be what was measured, and settings and rules what they were.

    Raises:
        UsageError: there is none.
        JournalError: it is damaged.
    """
    for folder, header in measurements(project, chosen.candidate, chosen.baseline):
        found = header.settings, header.alpha, header.metrics
        wanted = chosen.settings, chosen.alpha, chosen.metrics
        if found == wanted and _still(project, header):
            return _section(folder)
    raise UsageError(
        f"there is no finished measurement of `{chosen.candidate}` against `{chosen.baseline}` as "
        "they are now, with these settings and rules",
        hint=f"harness latency {chosen.candidate}",
    )


def _still(project: Project, header: Measurement) -> bool:
    """Whether both targets are what was measured."""
    of = header.identities
    return is_still(project, header.candidate, of["candidate"]) and is_still(
        project, header.baseline, of["baseline"]
    )


def with_section(
    comparison: ComparisonRecord, section: LatencySection, project: Project
) -> ComparisonRecord:
    """The comparison with what a measurement of the same two found.

    Raises:
        EvidenceError: others were measured than those whose answers are compared.
    """
    header = MeasurementFolder(project.measurements / section.measurement).header()
    identities = {} if header is None else header.identities
    arms: tuple[tuple[Arm, RunRecord], ...] = (
        ("candidate", comparison.candidate), ("baseline", comparison.baseline),
    )  # fmt: skip
    for arm, side in arms:
        timed, answered = identities.get(arm), side.header.identity
        # A sealed baseline was answered by the server of its time.
        if timed is None or timed != answered.model_copy(
            update={"server_version": timed.server_version}
        ):
            raise EvidenceError(
                f"the latency is that of another `{side.header.target}` than the answers",
                hint=f"harness gate {comparison.candidate.header.target}",
            )
    return replace(comparison, latency=section)


def as_judged(project: Project, verdict: Verdict, comparison: ComparisonRecord) -> ComparisonRecord:
    """The comparison with the latency that its verdict was given on, worked out again.

    A measurement that the project as it is would not have made is a problem of it.

    Raises:
        EvidenceError: the measurement is gone, or another than it was.
    """
    if verdict.latency is None:
        return comparison
    hint = f"harness gate {verdict.candidate}"
    path = project.measurements / verdict.latency.measurement
    folder = MeasurementFolder(path)
    header = folder.header()
    if header is None:
        raise EvidenceError("the measurement is gone", where=str(path), hint=hint)
    if _digest(folder) != verdict.latency.digest:
        raise EvidenceError("the measurement is another than it was", where=str(path), hint=hint)
    found = with_section(comparison, _section(folder), project)
    policy = project.policy()
    held = header.settings, header.alpha, header.metrics
    wanted = project.config.latency, policy.alpha, metrics_of(latency_rules(policy))
    if header.finished and held == wanted:
        return found
    problem = "the latency was measured with other settings or rules, or not to its end"
    return replace(found, problems=(*found.problems, problem))


def live_target(project: Project, baseline: str, suites: Sequence[Suite]) -> str:
    """The target that stands for the baseline: of a sealed one, that which it was sealed from.

    Raises:
        UsageError: there is no such target or baseline.
        EvidenceError: the target is no longer what was sealed.
    """
    sealed = sealed_run(project, suites, baseline)
    if sealed is None:
        return baseline
    name = sealed.header.target
    project.target(name)
    if not is_still(project, name, sealed.header.identity):
        raise EvidenceError(
            f"`{name}` is no longer what `{baseline}` was sealed from, so its latency cannot be "
            "measured",
            hint="keep what was sealed under a target of its own, and seal that",
        )
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
    fetch_models(apart, [name], watcher)
    done = run(apart, [name], context.suites, watcher, wanted, reuse=reuse)[name]
    moment = iso(SYSTEM_CLOCK.utc())
    noise = measure_noise(done, context.suites, context.policy, moment, repeats)
    write_atomic(noise_path(project, name), noise.model_dump_json(indent=2) + "\n")
    return noise


def with_noise(
    project: Project, verdict: Verdict, baseline: RunRecord, say: Callable[[str], None]
) -> Verdict:
    """The verdict with the baseline's stored noise beside its rules, where there is one that fits.

    Noise that was measured on something else is left out, with a line to `say`.
    """
    known = _stored(project, baseline, say)
    return verdict if known is None else verdict.with_noise(known.by_metric())


def noise_path(project: Project, target: str) -> Path:
    """Where the noise of a target is kept."""
    return project.noise / f"{target}.json"


def _stored(project: Project, baseline: RunRecord, say: Callable[[str], None]) -> Noise | None:
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


def _remedy(project: Project, baseline: RunRecord) -> str:
    """The command that measures the noise of a run that was made like this one."""
    name = baseline.header.target
    usual, asked = project.generation(name), baseline.header.generation
    how = f"`harness gate --aa --baseline {name}"
    if asked.get("concurrency", usual.concurrency) != usual.concurrency:
        how += f" -j {asked['concurrency']}"
    if asked.get("repeats", usual.repeats) != usual.repeats:
        return f"{how}` with `generation.repeats: {asked['repeats']}`"
    return f"{how}`"
