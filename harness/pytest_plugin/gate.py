"""The gate in a session: what the policy makes of the candidates that were asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from harness.errors import HarnessError
from harness.pytest_plugin.findings import Findings, Judged, Place
from harness.pytest_plugin.runs import PlannedRuns, answered, findings_of
from harness.records.comparison import Comparison
from harness.records.run import Run, Watcher
from harness.sections.evaluate import tell_of_unfinished
from harness.session.context import GateContext
from harness.session.gate import GateSession, check_latency
from harness.storage import RunFolder

_LISTED = 10


def judged(planned: PlannedRuns, context: GateContext, watcher: Watcher) -> Findings:
    """The findings, when everything is answered and judged.

    Reports are written where `harness gate` would write them. An error leaves none that looks like
    today's, Ctrl-C leaves one that is marked as partial.

    Raises:
        HarnessError: something cannot be asked or judged.
    """
    with _session(planned, context, watcher) as session:
        for candidate in planned.needs.rules:
            check_latency(context, candidate)
        runs = answered(planned, watcher)
        unkept = {each.place: each.part for each in planned.needs.tests}
        found = {} if planned.needs.late else _judged(planned, session, runs, watcher, unkept)
    update = {"judged": found, "late": planned.needs.late}
    return findings_of(planned, runs).model_copy(update=update)


def judged_late(
    planned: PlannedRuns,
    context: GateContext,
    findings: Findings,
    watcher: Watcher,
    unkept: Mapping[Place, str],
) -> Findings:
    """The findings with what was judged once the Python tests had been run.

    Of an `unkept` section nothing counts, whatever an earlier session has recorded. An error is a
    problem of every candidate: nothing can be said any more.
    """
    folder = context.project.runs
    session = _session(planned, context, watcher)
    try:
        runs = {name: RunFolder(folder / id_).load() for name, id_ in findings.runs.items()}
        found = _judged(planned, session, runs, watcher, unkept)
    except HarnessError as error:
        session.remove_reports()
        found = dict.fromkeys(planned.needs.rules, Judged(problems=(error.line,)))
    return findings.model_copy(update={"judged": found, "late": False})


def report_part(planned: PlannedRuns, context: GateContext, watcher: Watcher) -> None:
    """Leave a partial report on every candidate that was to be judged as a whole."""
    _session(planned, context, watcher).write_partial_reports()


def _session(planned: PlannedRuns, context: GateContext, watcher: Watcher) -> GateSession:
    workbench = planned.workbench
    session = GateSession(
        context,
        {candidate: planned.selections[candidate] for candidate in planned.whole},
        watcher,
        stored=workbench.options.stored,
        no_cache=workbench.options.no_cache,
    )
    session.partial = workbench.partial
    return session


def _judged(
    planned: PlannedRuns,
    session: GateSession,
    runs: Mapping[str, Run],
    watcher: Watcher,
    unkept: Mapping[Place, str],
) -> dict[str, Judged]:
    context = session.context
    # On a part of the project's suites the rules are judged for what they are about.
    complete = {
        name: replace(found, header=found.header.model_copy(update={"selection": {}}))
        for name, found in _without(context, runs, unkept).items()
    }
    now = context.grounds(complete)
    tell_of_unfinished(context.project, context.suites, complete, now, watcher)
    judged = {}
    for candidate, places in planned.needs.rules.items():
        found = context.compare(candidate, complete)
        if context.has_latency_rules(places):
            found = session.with_latency(found)
        judged[candidate] = (
            _as_gate_does(session, found)
            if candidate in planned.whole
            else _by_rules(context, found)
        )
    return judged


def _without(
    context: GateContext, runs: Mapping[str, Run], unkept: Mapping[Place, str]
) -> dict[str, Run]:
    """The runs without what earlier sessions recorded of sections that this one tested in vain."""
    found = {}
    for name, run in runs.items():
        why = {place[1:]: told for place, told in unkept.items() if place[0] == name}
        folder = RunFolder(context.project.runs / run.header.run_id)
        found[name] = folder.load(why) if why else run
    return found


def _as_gate_does(session: GateSession, found: Comparison) -> Judged:
    verdict = session.judge(found).verdict
    return Judged(
        problems=verdict.problems,
        rules=verdict.rules,
        verdict=verdict.verdict,
        reason=verdict.reason,
        report=str(session.context.folder(verdict.candidate)),
        new_failures=_new_failures(session.context, found),
    )


def _by_rules(context: GateContext, found: Comparison) -> Judged:
    return Judged(
        problems=context.doubts(found),
        rules=context.rule_results(found),
        new_failures=_new_failures(context, found),
    )


def _new_failures(context: GateContext, found: Comparison) -> dict[str, tuple[str, ...]]:
    return {name: _first(paths) for name, paths in context.new_failures(found).items()}


def _first(paths: tuple[str, ...]) -> tuple[str, ...]:
    more = len(paths) - _LISTED
    return (*paths[:_LISTED], f"and {more} more") if more > 0 else paths
