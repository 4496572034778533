"""Answers and verdicts of a session: requested at once, before any item runs, and judged."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness.config import SEALED
from harness.errors import HarnessError
from harness.event_loop import run_async
from harness.pytest_plugin.findings import (
    CandidateResult,
    Findings,
    Requirements,
    SectionKey,
    TestedRun,
)
from harness.pytest_plugin.session import SessionState
from harness.records.comparison import Comparison
from harness.records.plan import Plan
from harness.records.run import Run, Watcher
from harness.records.suite import Suite
from harness.run.plan import Selection, plan
from harness.run.rescore import rescore
from harness.run.resume import Reuse, resume
from harness.sections.evaluate import evaluate
from harness.storage import RunFolder
from harness.targets.identity import identify

if TYPE_CHECKING:
    from harness.session.context import GateContext
    from harness.session.gate import GateSession

_LISTED = 10


@dataclass(frozen=True, slots=True)
class PlannedRuns:
    """What is asked of each target, and in which context it is judged."""

    state: SessionState
    requirements: Requirements
    suites: tuple[Suite, ...]
    selections: Mapping[str, Selection]
    context: GateContext | None

    @property
    def reuse(self) -> Reuse:
        """Which stored answers stand."""
        return "begun" if self.state.options.no_cache else "stored"

    @property
    def whole(self) -> tuple[str, ...]:
        """The candidates that all rules are judged for on all suites, as `harness gate` does."""
        if self.context is None or len(self.suites) < len(self.state.project.config.suites):
            return ()
        rules = len(self.context.policy.rules)
        return tuple(
            name for name, places in self.requirements.rules.items() if len(places) == rules
        )


def plan_runs(state: SessionState, requirements: Requirements) -> PlannedRuns:
    """What has to be asked for the requirements.

    Raises:
        UsageError: a rule cannot be judged.
    """
    suites = tuple(suite for suite in state.suites.values() if suite.name in requirements.suites)
    context = state.scope(requirements.suites) if requirements.rules else state.context
    baseline = state.baseline
    live = baseline if baseline is not None and not baseline.startswith(SEALED) else None
    wanted = requirements
    if live is not None and live not in requirements.rules:
        if requirements.rules:
            wanted = requirements.model_copy(update={"rules": {**requirements.rules, live: ()}})
        elif requirements.cases and state.options.baseline is not None:
            paths = dict.fromkeys(path for cases in requirements.cases.values() for path in cases)
            wanted = requirements.model_copy(
                update={"cases": {**requirements.cases, live: tuple(paths)}}
            )
    total = sum(len(section.cases) for suite in suites for section in suite.sections)
    count, repeats = len(state.project.config.suites), state.options.repeats
    names = wanted.targets if live not in wanted.targets else (live, *wanted.targets)
    selections = {
        name: wanted.selection(name, total, count, repeats)
        for name in dict.fromkeys(filter(None, names))
    }
    return PlannedRuns(state, requirements, suites, selections, context)


def wholes(planned: PlannedRuns) -> dict[str, Plan]:
    """What each target of a Python test would be asked as a whole: its tests belong to that run.

    Raises:
        UsageError: a model or adapter does not exist.
        ServerError: a server cannot be reached.
    """
    state, requirements = planned.state, planned.requirements
    total, count = len(requirements.suites), len(state.project.config.suites)
    part = Selection(
        suites=requirements.suites if total < count else (), repeats=state.options.repeats
    )
    return {
        target: plan(
            state.project,
            target,
            planned.suites,
            run_async(identify(state.project, target)),
            part,
        )
        for target in dict.fromkeys(each.target for each in requirements.tests)
    }


def findings_of(planned: PlannedRuns, runs: Mapping[str, Run]) -> Findings:
    """The findings about finished runs of which nothing is judged yet."""
    project = planned.state.project
    return Findings(
        runs={name: found.header.run_id for name, found in runs.items()},
        compared=_compared(planned, runs),
        tested_runs={
            name: TestedRun(run=each.run_id, freshness=resume(project, each).freshness)
            for name, each in wholes(planned).items()
        },
    )


def answered(planned: PlannedRuns, watcher: Watcher) -> dict[str, Run]:
    """The finished runs by target, the baseline's too where it is at hand.

    Raises:
        UsageError: a model or adapter does not exist.
        EvidenceError: an adapter has no effect, or a stored answer is missing.
        ServerError: a server cannot be started or reached, or is gone for good.
    """
    return _runs(planned, watcher) | _baseline_at_hand(planned)


def _runs(planned: PlannedRuns, watcher: Watcher) -> dict[str, Run]:
    state = planned.state
    options, project = state.options, state.project
    if options.stored:
        return {
            name: rescore(project, [name], planned.suites, part)[name]
            for name, part in planned.selections.items()
        }
    names, parts = list(planned.selections), planned.selections
    return evaluate(project, names, planned.suites, watcher, parts, reuse=planned.reuse)


def _baseline_at_hand(planned: PlannedRuns) -> dict[str, Run]:
    """The baseline's stored answers to compare with, if it was asked the same before."""
    state = planned.state
    name = state.baseline
    if name is None or name.startswith(SEALED) or name in planned.selections:
        return {}
    if not planned.selections:
        return {}
    part = next(iter(planned.selections.values()))
    with contextlib.suppress(HarnessError):
        return rescore(state.project, [name], planned.suites, part)
    return {}


def _compared(planned: PlannedRuns, runs: Mapping[str, Run]) -> str | None:
    baseline = planned.state.baseline
    if baseline is None or baseline.startswith(SEALED) or baseline in runs:
        return baseline
    return None


def find(planned: PlannedRuns, watcher: Watcher) -> Findings:
    """The findings when all runs are finished, and judged if rules are among the requirements.

    Reports are written where `harness gate` would write them. An error leaves none that looks like
    today's, Ctrl-C leaves one that is marked as partial.

    Raises:
        HarnessError: something cannot be asked or judged.
    """
    if planned.context is None or not planned.requirements.rules:
        return findings_of(planned, answered(planned, watcher))
    from harness.session.gate import check_latency  # brings the statistics

    with _session(planned, watcher) as session:
        for candidate in planned.requirements.rules:
            check_latency(session.context, candidate)
        runs = answered(planned, watcher)
        unkept = {each.place: each.part for each in planned.requirements.tests}
        found = {} if planned.requirements.late else _judged(planned, session, runs, unkept)
    update = {"judged": found, "late": planned.requirements.late}
    return findings_of(planned, runs).model_copy(update=update)


def judged_late(
    planned: PlannedRuns, findings: Findings, watcher: Watcher, unkept: Mapping[SectionKey, str]
) -> Findings:
    """The findings with what was judged once the Python tests had been run.

    Of an `unkept` section nothing counts, whatever an earlier session has recorded. An error is a
    problem of every candidate: nothing can be said any more.
    """
    folder = planned.state.project.runs
    session = _session(planned, watcher)
    try:
        runs = {name: RunFolder(folder / id_).load() for name, id_ in findings.runs.items()}
        found = _judged(planned, session, runs, unkept)
    except HarnessError as error:
        session.remove_reports()
        found = dict.fromkeys(planned.requirements.rules, CandidateResult(problems=(error.line,)))
    return findings.model_copy(update={"judged": found, "late": False})


def write_partial_reports(planned: PlannedRuns, watcher: Watcher) -> None:
    """Leave a partial report on every candidate that was to be judged as a whole."""
    _session(planned, watcher).write_partial_reports()


def _session(planned: PlannedRuns, watcher: Watcher) -> GateSession:
    from harness.session.gate import GateSession

    state = planned.state
    assert planned.context is not None
    session = GateSession(
        planned.context,
        {candidate: planned.selections[candidate] for candidate in planned.whole},
        watcher,
        stored=state.options.stored,
        no_cache=state.options.no_cache,
    )
    session.partial = state.partial
    return session


def _judged(
    planned: PlannedRuns,
    session: GateSession,
    runs: Mapping[str, Run],
    unkept: Mapping[SectionKey, str],
) -> dict[str, CandidateResult]:
    context = session.context
    # On a part of the project's suites the rules are judged for what they are about.
    complete = {
        name: replace(found, header=found.header.model_copy(update={"selection": {}}))
        for name, found in _without(context, runs, unkept).items()
    }
    judged = {}
    compared = session.compare(planned.requirements.rules, complete)
    for candidate, places in planned.requirements.rules.items():
        found = compared[candidate]
        if context.has_latency_rules(places):
            found = session.with_latency(found)
        judged[candidate] = (
            _as_gate_does(session, found)
            if candidate in planned.whole
            else _by_rules(context, found)
        )
    return judged


def _without(
    context: GateContext, runs: Mapping[str, Run], unkept: Mapping[SectionKey, str]
) -> dict[str, Run]:
    """The runs without what earlier sessions recorded of sections that this one tested in vain."""
    found = {}
    for name, run in runs.items():
        why = {place[1:]: reason for place, reason in unkept.items() if place[0] == name}
        folder = RunFolder(context.project.runs / run.header.run_id)
        found[name] = folder.load(why) if why else run
    return found


def _as_gate_does(session: GateSession, found: Comparison) -> CandidateResult:
    verdict = session.judge(found).verdict
    return CandidateResult(
        problems=verdict.problems,
        rules=verdict.rules,
        verdict=verdict.verdict,
        reason=verdict.reason,
        report=str(session.context.folder(verdict.candidate)),
        new_failures=_new_failures(session.context, found),
    )


def _by_rules(context: GateContext, found: Comparison) -> CandidateResult:
    return CandidateResult(
        problems=context.doubts(found),
        rules=context.rule_results(found),
        new_failures=_new_failures(context, found),
    )


def _new_failures(context: GateContext, found: Comparison) -> dict[str, tuple[str, ...]]:
    return {name: _first(paths) for name, paths in context.new_failures(found).items()}


def _first(paths: tuple[str, ...]) -> tuple[str, ...]:
    more = len(paths) - _LISTED
    return (*paths[:_LISTED], f"and {more} more") if more > 0 else paths
