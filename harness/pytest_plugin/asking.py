"""Asking: everything that the selected items need, at once, before the first one reports."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.config import SEALED
from harness.errors import HarnessError
from harness.event_loop import run_async
from harness.pytest_plugin.findings import Findings, Where
from harness.pytest_plugin.needs import Needs
from harness.pytest_plugin.workbench import Workbench
from harness.records.plan import Plan
from harness.records.run import Run, Watcher
from harness.records.suite import Suite
from harness.run.plan import Selection, plan
from harness.run.rescore import rescore
from harness.run.resume import Reuse, resume
from harness.sections.evaluate import evaluate
from harness.targets.identity import identify

if TYPE_CHECKING:
    from harness.session.context import GateContext


@dataclass(frozen=True, slots=True)
class Asking:
    """What is asked of whom, and on which bench it is judged."""

    workbench: Workbench
    needs: Needs
    suites: tuple[Suite, ...]
    selections: Mapping[str, Selection]
    bench: GateContext | None

    @property
    def reuse(self) -> Reuse:
        """Which stored answers stand."""
        return "begun" if self.workbench.options.no_cache else "stored"

    @property
    def whole(self) -> tuple[str, ...]:
        """The candidates that all rules are judged for on all suites, as `harness gate` does."""
        if self.bench is None or len(self.suites) < len(self.workbench.project.config.suites):
            return ()
        rules = len(self.bench.policy.rules)
        return tuple(name for name, places in self.needs.rules.items() if len(places) == rules)


def plan_asking(workbench: Workbench, needs: Needs) -> Asking:
    """What has to be asked for the needs.

    Raises:
        UsageError: a rule cannot be judged.
    """
    suites = tuple(suite for suite in workbench.suites.values() if suite.name in needs.suites)
    bench = workbench.scope(needs.suites) if needs.rules else workbench.bench
    baseline = workbench.baseline
    live = baseline if baseline is not None and not baseline.startswith(SEALED) else None
    wanted = needs
    if live is not None and live not in needs.rules:
        if needs.rules:
            wanted = needs.model_copy(update={"rules": {**needs.rules, live: ()}})
        elif needs.cases and workbench.options.baseline is not None:
            paths = dict.fromkeys(path for cases in needs.cases.values() for path in cases)
            wanted = needs.model_copy(update={"cases": {**needs.cases, live: tuple(paths)}})
    total = sum(len(section.cases) for suite in suites for section in suite.sections)
    count, repeats = len(workbench.project.config.suites), workbench.options.repeats
    names = wanted.targets if live not in wanted.targets else (live, *wanted.targets)
    selections = {
        name: wanted.selection(name, total, count, repeats)
        for name in dict.fromkeys(filter(None, names))
    }
    return Asking(workbench, needs, suites, selections, bench)


def ask(asking: Asking, watcher: Watcher) -> Findings:
    """The findings, when everything is answered, and judged where rules are among what is needed.

    Raises:
        HarnessError: something cannot be asked or judged.
    """
    if asking.bench is not None and asking.needs.rules:
        from harness.pytest_plugin.judging import judged  # brings the statistics

        return judged(asking, asking.bench, watcher)
    return findings_of(asking, answered(asking, watcher))


def wholes(asking: Asking) -> dict[str, Plan]:
    """What each target of a Python test would be asked as a whole: its tests belong to that run.

    Raises:
        UsageError: a model or adapter does not exist.
        ServerError: a server cannot be reached.
    """
    workbench, needs = asking.workbench, asking.needs
    total, count = len(needs.suites), len(workbench.project.config.suites)
    part = Selection(
        suites=needs.suites if total < count else (), repeats=workbench.options.repeats
    )
    return {
        target: plan(
            workbench.project,
            target,
            asking.suites,
            run_async(identify(workbench.project, target)),
            part,
        )
        for target in dict.fromkeys(each.target for each in needs.tests)
    }


def findings_of(asking: Asking, runs: Mapping[str, Run]) -> Findings:
    """The findings about finished runs of which nothing is judged yet."""
    return Findings(
        runs={name: found.header.run_id for name, found in runs.items()},
        compared=_compared(asking, runs),
        tested={
            name: Where(run=each.run_id, freshness=resume(asking.workbench.project, each).freshness)
            for name, each in wholes(asking).items()
        },
    )


def answered(asking: Asking, watcher: Watcher) -> dict[str, Run]:
    """The finished runs by target, the baseline's too where it is at hand.

    Raises:
        UsageError: a model or adapter does not exist.
        EvidenceError: an adapter has no effect, or a stored answer is missing.
        ServerError: a server cannot be started or reached, or is gone for good.
    """
    return _runs(asking, watcher) | _baseline_at_hand(asking)


def _runs(asking: Asking, watcher: Watcher) -> dict[str, Run]:
    workbench = asking.workbench
    options, project = workbench.options, workbench.project
    if options.stored:
        return {
            name: rescore(project, [name], asking.suites, part)[name]
            for name, part in asking.selections.items()
        }
    names, parts = list(asking.selections), asking.selections
    return evaluate(project, names, asking.suites, watcher, parts, reuse=asking.reuse)


def _baseline_at_hand(asking: Asking) -> dict[str, Run]:
    """The baseline's stored answers to compare with, if it was asked the same before."""
    workbench = asking.workbench
    name = workbench.baseline
    if name is None or name.startswith(SEALED) or name in asking.selections:
        return {}
    if not asking.selections:
        return {}
    part = next(iter(asking.selections.values()))
    with contextlib.suppress(HarnessError):
        return rescore(workbench.project, [name], asking.suites, part)
    return {}


def _compared(asking: Asking, runs: Mapping[str, Run]) -> str | None:
    baseline = asking.workbench.baseline
    if baseline is None or baseline.startswith(SEALED) or baseline in runs:
        return baseline
    return None
