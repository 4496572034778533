"""Judging: what the policy makes of the candidates that were asked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace

from harness.errors import EvidenceError, HarnessError, InfrastructureError
from harness.gate.judge import judge_rules
from harness.gate.rules.no_new_critical_failures import new_critical_failures
from harness.latency.judge import latency_rules
from harness.pytest_plugin.asking import Asking, answered, findings_of
from harness.pytest_plugin.findings import Findings, Judged
from harness.pytest_plugin.recorder import Place
from harness.records.comparison import Comparison
from harness.records.progress import Watcher
from harness.records.run import Run
from harness.report.write import remove_report
from harness.session.evidence import Bench
from harness.session.judge import judge, open_gate, timed
from harness.session.partial_report import write_partial
from harness.session.python_tests import tell_of_unfinished
from harness.storage import RunFolder

_LISTED = 10


def judged(asking: Asking, bench: Bench, watcher: Watcher) -> Findings:
    """The findings, when everything is answered and judged.

    Reports are written where `harness gate` would write them. An error leaves none that looks like
    today's, Ctrl-C leaves one that is marked as partial.

    Raises:
        HarnessError: something cannot be asked or judged.
    """
    try:
        if latency_rules(bench.policy):
            for candidate in asking.needs.rules:
                open_gate(bench.project, candidate, bench.policy.baseline)
        runs = answered(asking, watcher)
        unkept = {each.place: each.part for each in asking.needs.tests}
        found = {} if asking.needs.late else _judged(asking, bench, runs, watcher, unkept)
    except (EvidenceError, InfrastructureError):
        for candidate in asking.whole:
            remove_report(bench.folder(candidate))
        raise
    except KeyboardInterrupt:
        report_part(asking, bench)
        raise
    update = {"judged": found, "late": asking.needs.late}
    return findings_of(asking, runs).model_copy(update=update)


def judged_late(
    asking: Asking,
    bench: Bench,
    findings: Findings,
    watcher: Watcher,
    unkept: Mapping[Place, str],
) -> Findings:
    """The findings with what was judged once the Python tests had been run.

    Of an `unkept` section nothing counts, whatever an earlier session has recorded. An error is a
    problem of every candidate: nothing can be said any more.
    """
    project = bench.project
    try:
        runs = {name: RunFolder(project.runs / id_).load() for name, id_ in findings.runs.items()}
        found = _judged(asking, bench, runs, watcher, unkept)
    except HarnessError as error:
        for candidate in asking.whole:
            remove_report(bench.folder(candidate))
        found = dict.fromkeys(asking.needs.rules, Judged(problems=(error.line,)))
    return findings.model_copy(update={"judged": found, "late": False})


def _judged(
    asking: Asking,
    bench: Bench,
    runs: Mapping[str, Run],
    watcher: Watcher,
    unkept: Mapping[Place, str],
) -> dict[str, Judged]:
    # On a part of the project's suites the rules are judged for what they are about.
    complete = {
        name: replace(found, header=found.header.model_copy(update={"selection": {}}))
        for name, found in _without(bench, runs, unkept).items()
    }
    tell_of_unfinished(bench, complete, watcher)
    judged = {}
    for candidate, places in asking.needs.rules.items():
        found = bench.compare(candidate, complete)
        rules = bench.policy.rules
        if any(rules[place] in latency_rules(bench.policy) for place in places):
            options = asking.workbench.options
            found = timed(bench, found, watcher, stored=options.stored, anew=options.no_cache)
        judged[candidate] = (
            _as_gate_does(bench, found, watcher)
            if candidate in asking.whole
            else _by_rules(bench, found)
        )
    return judged


def _without(bench: Bench, runs: Mapping[str, Run], unkept: Mapping[Place, str]) -> dict[str, Run]:
    """The runs without what earlier sessions recorded of sections that this one tested in vain."""
    found = {}
    for name, run in runs.items():
        why = {place[1:]: told for place, told in unkept.items() if place[0] == name}
        folder = RunFolder(bench.project.runs / run.header.run_id)
        found[name] = folder.load(why) if why else run
    return found


def _as_gate_does(bench: Bench, found: Comparison, watcher: Watcher) -> Judged:
    verdict = judge(bench, found, watcher)
    return Judged(
        problems=verdict.problems,
        rules=verdict.rules,
        verdict=verdict.verdict,
        reason=verdict.reason,
        report=str(bench.folder(verdict.candidate)),
        new_failures=_new_failures(found),
    )


def _by_rules(bench: Bench, found: Comparison) -> Judged:
    problems = bench.doubts(found)
    rules = () if problems else judge_rules(found, bench.policy)
    return Judged(problems=problems, rules=rules, new_failures=_new_failures(found))


def _new_failures(found: Comparison) -> dict[str, tuple[str, ...]]:
    by_section: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for case in found.cases:
        if case.change == "new_failure":
            by_section[f"{case.suite}.{case.section}"][case.path] = None
    named = {name: _first(list(paths)) for name, paths in by_section.items()}
    critical = _first(list(new_critical_failures(found)))
    return {**named, "critical": critical} if critical else named


def _first(paths: list[str]) -> tuple[str, ...]:
    more = len(paths) - _LISTED
    return (*paths[:_LISTED], f"and {more} more") if more > 0 else tuple(paths)


def report_part(asking: Asking, bench: Bench) -> None:
    """Leave a partial report on every candidate that was to be judged as a whole."""
    workbench = asking.workbench
    if workbench.options.stored:
        return
    for candidate in asking.whole:
        folder = write_partial(bench, candidate, asking.selections[candidate], asking.reuse)
        if folder is not None:
            workbench.partial[candidate] = folder
