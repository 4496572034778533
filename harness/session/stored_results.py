"""Views of stored results: a leaderboard of candidates, and the histories of suites."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from pydantic import ValidationError

from harness.config import SEALED, Project
from harness.errors import ConfigError, EvidenceError, JournalError, UsageError
from harness.files import read_bytes
from harness.gate.differences import bounded, losses, policy_caps
from harness.gate.history import history
from harness.gate.judge import gate
from harness.gate.preferences import preferences
from harness.gate.recommend import aims, recommend
from harness.gate.rules.no_new_critical_failures import (
    CRITICAL,
    NoNewCriticalFailures,
    new_critical_failures,
)
from harness.gate.seal import sealed_baselines
from harness.labels.usable import usable
from harness.latency.latency_rule import latency_rules
from harness.records.base import explain
from harness.records.comparison import ComparisonRecord, PairedMetric
from harness.records.history import History, PastGate, instant
from harness.records.leaderboard import (
    Leaderboard,
    LeaderboardEntry,
    PairedDifference,
    Recommendation,
    TargetFigures,
)
from harness.records.preferences import Preferences
from harness.records.rule import Policy
from harness.records.run import RunRecord
from harness.records.verdict import Verdict
from harness.report.write import VERDICT
from harness.run.plan import Selection
from harness.run.rescore import rescore
from harness.sections.section_kinds import load_suites
from harness.session.context import GateContext, open_context
from harness.session.measurements import contest, stored_section, with_section
from harness.session.target_figures import target_figures
from harness.storage.working_files import kept_gates


def leaderboard_entry(
    comparison: ComparisonRecord,
    doubts: tuple[str, ...],
    verdict: Verdict | None,
    alpha: float,
    limits: Mapping[str, float],
) -> LeaderboardEntry:
    """The candidate of the comparison; what cannot be trusted gives no number.

    `limits` are the caps of metrics without bounds.
    """
    name = comparison.candidate.header.target
    if doubts:
        return LeaderboardEntry(name, comparison, doubts, verdict, {}, ())
    p_values = {tested.metric: tested.p_value for tested in losses(comparison, alpha, limits)}
    return LeaderboardEntry(
        name,
        comparison,
        doubts,
        verdict,
        differences={
            full: _difference(metric, alpha, limits.get(full), p_values.get(full))
            for full, metric in comparison.metrics.items()
        },
        new_critical_failures=tuple(new_critical_failures(comparison)),
    )


def _difference(
    metric: PairedMetric, alpha: float, cap: float | None, p_of_loss: float | None
) -> PairedDifference:
    try:
        terms = bounded(metric, cap)
        found = terms.difference(alpha)
    except ValueError as error:
        values = metric.candidate_value, metric.baseline_value
        return PairedDifference(metric.metric, *values, reason=str(error))
    return PairedDifference(
        metric.metric,
        terms.metric.candidate_value,
        terms.metric.baseline_value,
        estimate=found.estimate,
        low=found.low,
        high=found.high,
        n=found.n,
        groups=found.groups,
        p_of_loss=p_of_loss,
        cap=None if metric.metric.bounded else cap,
        cut=terms.cut,
    )


def build_leaderboard(
    project: Project, names: Sequence[str], baseline: str | None, suite_names: tuple[str, ...]
) -> Leaderboard:
    """The named candidates beside the baseline, from stored answers; nothing is asked or written.

    A name that is the baseline's is taken out of the candidates. Without a policy nothing is
    judged or recommended.

    Raises:
        UsageError: a name that does not exist, or nothing to compare.
        EvidenceError: answers are missing, or no candidate's evidence can be trusted.
    """
    policy = project.config.gate
    context = _open(project, names, baseline, suite_names)
    chosen = _candidates(names, context.policy.baseline)
    runs = rescore(
        project, (*context.live_baseline, *chosen), context.suites, Selection(suites=suite_names)
    )
    entries = tuple(
        _entry(context, context.compare(name, runs), judged=policy is not None) for name in chosen
    )
    if all(one.doubts for one in entries):
        context.trusted(entries[0].comparison)
    trusted = [run for run in _sides(context, runs) if _is_trusted(run, entries)]
    figures = tuple(target_figures(run, context.suites) for run in trusted)
    return Leaderboard(
        baseline=context.policy.baseline,
        alpha=context.policy.alpha,
        entries=entries,
        recommendation=_recommended(context, runs, entries, figures)
        if policy is not None
        else None,
        preferences=_preferences(context, trusted),
        figures=figures,
    )


def _recommended(
    context: GateContext,
    runs: Mapping[str, RunRecord],
    entries: Sequence[LeaderboardEntry],
    figures: Sequence[TargetFigures],
) -> Recommendation:
    """The recommendation, with a note where the baseline costs less and nothing is found better."""
    verdicts = {one.name: one.verdict for one in entries if one.verdict is not None}
    costs = {one.target: one.per_thousand for one in figures}
    found = recommend(runs, verdicts, context.suites, context.policy, costs)
    baseline, price = context.policy.baseline, figures[0].per_thousand
    defined = {name: one for suite in context.suites for name, one in suite.definitions()}
    wanted = aims(context.policy, defined)
    notes = tuple(
        f"`{baseline}`, the baseline, costs less than `{one.name}` ({price:.3g} against {own:.3g} "
        "per 1,000 answers), which was found better in no metric with a rule"
        for one in entries
        if one.name in found.candidates
        and not any(one.differences[name].is_gain for name in wanted if name in one.differences)
        if price is not None and (own := costs.get(one.name)) is not None and price < own
    )
    if context.holdout is not None:
        notes += ("only `harness gate` asks the holdout, which decides too",)
    return found.model_copy(update={"notes": (*notes, *found.notes)})


def _sides(context: GateContext, runs: Mapping[str, RunRecord]) -> list[RunRecord]:
    """The runs of all targets, the baseline's first."""
    sides = dict(runs)
    if context.sealed is not None:
        sides = {context.sealed.header.target: context.sealed, **sides}
    return list(sides.values())


def _is_trusted(run: RunRecord, entries: Sequence[LeaderboardEntry]) -> bool:
    return not any(one.doubts for one in entries if one.name == run.header.target)


def _preferences(context: GateContext, trusted: Sequence[RunRecord]) -> Preferences | None:
    """What people prefer of the targets that can be trusted."""
    if not context.labels:
        return None
    found = usable(context.labels, context.suites, trusted, context.project.config.targets)
    names = [run.header.target for run in trusted]
    labels = dict(zip(names, found.by_run, strict=True))
    return preferences(labels, context.suites, context.policy.alpha)


def _open(
    project: Project, names: Sequence[str], baseline: str | None, suite_names: tuple[str, ...]
) -> GateContext:
    policy = project.config.gate
    if policy is None:
        if baseline is None:
            raise ConfigError(
                "has no `gate:` that names a baseline", where=project.file, hint="--baseline NAME"
            )
        # Carries the baseline and the usual alpha; its rule is never asked.
        critical = NoNewCriticalFailures(require=CRITICAL)
        policy = Policy(baseline=baseline, rules=(critical,))
    chosen = _candidates(names, baseline or policy.baseline)
    return open_context(project, chosen, baseline, suite_names, policy)


def _candidates(names: Sequence[str], baseline: str) -> list[str]:
    chosen = [name for name in dict.fromkeys(names) if name != baseline]
    if not chosen:
        raise UsageError(
            f"`{baseline}` is the baseline itself", hint="name another target as candidate"
        )
    for name in chosen:
        if name.startswith(SEALED):
            raise UsageError(
                f"`{name}` is a sealed baseline and no candidate", hint=f"--baseline {name}"
            )
    return chosen


def _entry(context: GateContext, comparison: ComparisonRecord, *, judged: bool) -> LeaderboardEntry:
    doubts = context.doubts(comparison)
    verdict = None
    if judged:
        timed = comparison if doubts else _timed(context, comparison)
        verdict = gate(timed, context.policy, context.circumstances(timed))
    limits = policy_caps(context.policy)
    return leaderboard_entry(comparison, doubts, verdict, context.policy.alpha, limits)


def _timed(context: GateContext, comparison: ComparisonRecord) -> ComparisonRecord:
    """The comparison with a stored measurement of the two, where rules ask for one that exists."""
    if not latency_rules(context.policy):
        return comparison
    project, name = context.project, comparison.candidate.header.target
    try:
        wanted = contest(project, name, context.policy.baseline, project.config.latency)
        return with_section(comparison, stored_section(project, wanted), project)
    except (UsageError, EvidenceError):  # its rules then say that it was not measured
        return comparison


_TAKEN = f"--from takes {VERDICT}, gates.jsonl or a folder"


def gather_history(
    project: Project, names: Sequence[str], sources: Iterable[Path]
) -> tuple[History, ...]:
    """The histories of the named suites, of all suites that have one where none is named.

    `sources` are files of verdicts, records of gates (`.jsonl`), and folders to look for both in.

    Raises:
        UsageError: a suite or source does not exist, or there is no history.
        EvidenceError: a file is damaged.
    """
    suites = load_suites(project, names)
    gates = list(kept_gates(project.gates))
    verdicts: list[Verdict] = []
    for path in dict.fromkeys(found for source in sources for found in _files(source)):
        if path.suffix == ".jsonl":
            gates += _fetched(path)
        else:
            verdicts.append(_verdict(path))
    current = {suite.name: suite.digest for suite in load_suites(project)}
    found = tuple(
        _of_suite(suite.name, gates, verdicts, project.baselines, current) for suite in suites
    )
    empty = [one.suite for one in found if not one.gates]
    if len(empty) == len(found) or (names and empty):
        raise UsageError(
            f"no gate of suite `{empty[0]}` was kept, and no baseline of it is sealed",
            where=str(project.gates),
            hint="`harness gate CANDIDATE` keeps its verdict there, `--from DIR` reads others",
        )
    return tuple(one for one in found if one.gates)


def _of_suite(
    suite: str,
    gates: Iterable[PastGate],
    verdicts: Iterable[Verdict],
    baselines: Path,
    current: dict[str, str],
) -> History:
    sealed = sealed_baselines(suite, baselines)
    try:
        return history(suite, gates, verdicts, sealed, (current, {suite: current[suite]}))
    except ValidationError as error:
        raise EvidenceError(explain(error), where=str(baselines / suite)) from None


def _files(source: Path) -> list[Path]:
    """The files of a source that hold verdicts or records of gates."""
    if source.is_dir():
        found = sorted(
            path for pattern in (VERDICT, "gates.jsonl") for path in source.rglob(pattern)
        )
        if not found:
            raise UsageError(f"holds no {VERDICT} and no gates.jsonl", where=str(source))
        return found
    if not source.exists():
        raise UsageError("no such file or folder", where=str(source), hint="check --from")
    return [source]


def _fetched(path: Path) -> tuple[PastGate, ...]:
    try:
        return kept_gates(path)
    except JournalError as error:
        raise JournalError(error.what, where=error.where, hint=_TAKEN) from None


def _verdict(path: Path) -> Verdict:
    try:
        verdict = Verdict.model_validate_json(read_bytes(path) or b"")
        instant(verdict.created)
    except ValidationError as error:
        what = f"is no verdict: {explain(error)}"
        raise EvidenceError(what, where=str(path), hint=_TAKEN) from None
    except ValueError as error:
        raise EvidenceError(f"is no verdict: created: {error}", where=str(path)) from None
    return verdict
