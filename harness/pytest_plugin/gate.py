"""Answers and verdicts of a session: requested at once, before any item runs, and judged."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

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
from harness.records.comparison import ComparisonRecord
from harness.records.plan import Plan
from harness.records.run import RunRecord, Watcher
from harness.records.suite import Suite
from harness.run.plan import Selection, plan
from harness.run.rescore import rescore
from harness.run.resume import Reuse, resume
from harness.sections.evaluate import Evaluation
from harness.storage import RunFolder
from harness.storage.journal_chain import JournalLog
from harness.targets.identity import identify
from harness.targets.models import fetch_models

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
    since: int = 0  # how long the log of journals was before anything was asked

    @property
    def whole(self) -> tuple[str, ...]:
        """The candidates that all rules are judged for on all suites, as `harness gate` does."""
        if self.context is None or len(self.suites) < len(self.state.project.config.suites):
            return ()
        rules = len(self.context.policy.rules)
        return tuple(
            name for name, places in self.requirements.rules.items() if len(places) == rules
        )

    def whole_plans(self) -> dict[str, Plan]:
        """What each target of a Python test would be asked as a whole: its tests belong to that.

        Raises:
            UsageError: a model or adapter does not exist.
            ServerError: a server cannot be reached.
        """
        project, names = self.state.project, self.requirements.suites
        part = Selection(
            suites=names if len(names) < len(project.config.suites) else (),
            repeats=self.state.options.repeats,
        )
        return {
            target: plan(project, target, self.suites, run_async(identify(project, target)), part)
            for target in dict.fromkeys(each.target for each in self.requirements.tests)
        }

    def find(self, watcher: Watcher) -> Findings:
        """The findings when all runs are finished, and judged if rules are required.

        Reports are written where `harness gate` would write them. An error leaves none that looks
        like today's, Ctrl-C leaves one that is marked as partial.

        Raises:
            UsageError: a model or adapter does not exist, or something cannot be judged.
            EvidenceError: an adapter has no effect, or a stored answer is missing.
            ServerError: a server cannot be started or reached, or is gone for good.
        """
        tested = [each.target for each in self.requirements.tests]
        fetch_models(self.state.project, tested, watcher)
        if self.context is None or not self.requirements.rules:
            return self._findings(self._answered(watcher))
        # These bring the statistics.
        from harness.gate.foretold import asked_differently
        from harness.session.gate import check_latency

        context, late = self.context, self.requirements.late
        for candidate in self.requirements.rules:
            found = asked_differently(
                context.project, context.suites, context.policy, candidate, context.sealed
            )
            if found is not None:
                watcher.say(f"warning: {found}")
        with self._session(watcher) as session:
            for candidate in self.requirements.rules:
                check_latency(session.context, candidate)
            runs = self._answered(watcher)
            unkept = {each.place: each.part for each in self.requirements.tests}
            judged = {} if late else self._judged(session, runs, unkept)
        return self._findings(runs).model_copy(update={"judged": judged, "late": late})

    def judge_late(
        self, findings: Findings, watcher: Watcher, unkept: Mapping[SectionKey, str]
    ) -> Findings:
        """The findings with what is judged once the Python tests have been run.

        Of an `unkept` section nothing counts, whatever an earlier session has recorded. An error is
        a problem of every candidate: nothing can be said any more.
        """
        folder, session = self.state.project.runs, self._session(watcher)
        try:
            runs = {name: RunFolder(folder / id_).load() for name, id_ in findings.runs.items()}
            judged = self._judged(session, runs, unkept)
        except HarnessError as error:
            session.remove_reports()
            judged = dict.fromkeys(self.requirements.rules, CandidateResult(problems=(error.line,)))
        return findings.model_copy(update={"judged": judged, "late": False})

    def write_partial_reports(self, watcher: Watcher) -> None:
        """Write a partial report on every candidate that was to be judged as a whole."""
        self._session(watcher).write_partial_reports()

    def _session(self, watcher: Watcher) -> GateSession:
        from harness.session.gate import GateSession

        options = self.state.options
        assert self.context is not None
        session = GateSession(
            self.context,
            {candidate: self.selections[candidate] for candidate in self.whole},
            watcher,
            stored=options.stored,
            no_cache=options.no_cache,
            since=self.since,
        )
        session.partial = self.state.partial
        return session

    def _answered(self, watcher: Watcher) -> dict[str, RunRecord]:
        """The finished runs by target, the baseline's too where it was asked the same before."""
        state, suites, parts = self.state, self.suites, self.selections
        project = state.project
        if state.options.stored:
            runs = {name: rescore(project, [name], suites, parts[name])[name] for name in parts}
        else:
            reuse: Reuse = "begun" if state.options.no_cache else "stored"
            runs = Evaluation(project, suites, watcher, parts, reuse).run(list(parts))
        baseline = state.live_baseline
        if baseline is not None and parts and baseline not in parts:
            with contextlib.suppress(HarnessError):
                runs |= rescore(project, [baseline], suites, next(iter(parts.values())))
        return runs

    def _findings(self, runs: Mapping[str, RunRecord]) -> Findings:
        """The findings about finished runs of which nothing is judged yet."""
        state = self.state
        return Findings(
            runs={name: found.header.run_id for name, found in runs.items()},
            compared=state.baseline if state.live_baseline in (None, *runs) else None,
            tested_runs={
                name: TestedRun(run=each.run_id, freshness=resume(state.project, each).freshness)
                for name, each in self.whole_plans().items()
            },
        )

    def _judged(
        self, session: GateSession, runs: Mapping[str, RunRecord], unkept: Mapping[SectionKey, str]
    ) -> dict[str, CandidateResult]:
        counted = {name: self._without(run, name, unkept) for name, run in runs.items()}
        judged = {}
        compared = session.compare(self.requirements.rules, counted)
        for candidate, places in self.requirements.rules.items():
            found = compared[candidate]
            if session.context.has_latency_rules(places):
                found = session.with_latency(found)
            judged[candidate] = _result(session, found, whole=candidate in self.whole)
        return judged

    def _without(self, run: RunRecord, target: str, unkept: Mapping[SectionKey, str]) -> RunRecord:
        """The run without what earlier sessions recorded of sections that this one leaves out."""
        why = {place[1:]: reason for place, reason in unkept.items() if place[0] == target}
        if why:
            run = RunFolder(self.state.project.runs / run.header.run_id).load().without(why)
        # On a part of the project's suites the rules are judged for what they are about.
        return replace(run, header=run.header.model_copy(update={"selection": {}}))


def plan_runs(state: SessionState, requirements: Requirements) -> PlannedRuns:
    """What has to be asked for the requirements.

    Raises:
        UsageError: a rule cannot be judged, or a suite that it needs cannot be loaded.
    """
    project, options, live = state.project, state.options, state.live_baseline
    suites = tuple(suite for suite in state.suites.values() if suite.name in requirements.suites)
    context = state.context
    if requirements.rules and (context is None or len(requirements.suites) < len(context.suites)):
        from harness.session.context import open_context

        names = requirements.suites
        context = open_context(project, state.candidates, options.baseline, names)
    wanted = requirements
    if live is not None and live not in requirements.rules:
        if requirements.rules:
            wanted = requirements.model_copy(update={"rules": {**requirements.rules, live: ()}})
        elif requirements.cases and options.baseline is not None:
            paths = dict.fromkeys(path for cases in requirements.cases.values() for path in cases)
            wanted = requirements.model_copy(
                update={"cases": {**requirements.cases, live: tuple(paths)}}
            )
    total = sum(len(section.cases) for suite in suites for section in suite.sections)
    # The baseline is asked first.
    targets = sorted(wanted.targets, key=lambda name: name != live)
    selections = {
        name: wanted.selection(name, total, len(project.config.suites), options.repeats)
        for name in targets
    }
    since = JournalLog(state.project.runs).size
    return PlannedRuns(state, requirements, suites, selections, context, since)


def _result(session: GateSession, found: ComparisonRecord, *, whole: bool) -> CandidateResult:
    """The result of the rules, with a verdict and a report where it is judged as a whole."""
    context = session.context
    failures = {name: _first(paths) for name, paths in context.new_failures(found).items()}
    if not whole:
        return CandidateResult(
            problems=context.doubts(found),
            rules=context.rule_results(found),
            new_failures=failures,
        )
    verdict = session.judge(found).verdict
    return CandidateResult(
        problems=verdict.problems,
        rules=verdict.rules,
        verdict=verdict.verdict,
        reason=verdict.reason,
        report=str(context.folder(verdict.candidate)),
        new_failures=failures,
    )


def _first(paths: tuple[str, ...]) -> tuple[str, ...]:
    more = len(paths) - _LISTED
    return (*paths[:_LISTED], f"and {more} more") if more > 0 else paths
