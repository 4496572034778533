"""The gate as a Python function: `gate()` returns the verdict on a candidate."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from harness.api.card import Card, bounded, render
from harness.api.comparison import Comparison
from harness.api.frames import RULES, frame
from harness.api.run import Run
from harness.clock import SYSTEM_CLOCK, Clock
from harness.config import CONFIG_NAME, load_project
from harness.errors import UsageError
from harness.records.verdict import Decision, Verdict
from harness.report.rules import (
    SYMBOLS,
    completed,
    estimate_of,
    interval_of,
    own_value,
    requirement,
    rule_name,
)
from harness.report.write import HTML
from harness.run.plan import Selection
from harness.session.context import GateContext
from harness.session.gate import GateOutcome, GateRequest, open_gate
from harness.visible_text import one_line

if TYPE_CHECKING:
    import pandas as pd

EVERY = 10.0


@dataclass(frozen=True, eq=False, repr=False)
class GateResult:
    """The verdict of the policy on a candidate; `record` is the verdict as written to disk.

    `report` is the path of the HTML report.
    """

    comparison: Comparison
    record: Verdict
    report: Path

    @property
    def verdict(self) -> Decision:
        """`PROMOTE`, `BLOCK`, `INCONCLUSIVE` or `INVALID`."""
        return self.record.verdict

    @property
    def exit_code(self) -> int:
        """The code that `harness gate` leaves with: 0, 1, 4 or 3."""
        return self.record.exit_code

    @property
    def reason(self) -> str:
        """Why the verdict is what it is, in one sentence."""
        return self.record.reason

    @property
    def problems(self) -> tuple[str, ...]:
        """Every reason why the evidence cannot be trusted; none unless the verdict is INVALID."""
        return self.record.problems

    def rules(self) -> pd.DataFrame:
        """One row a rule, in the policy's order; docs/python.md has the columns."""
        return frame(
            RULES,
            (
                (
                    *(rule.metric, rule.require, rule.outcome, rule.candidate, rule.baseline),
                    *(rule.estimate, rule.ci_low, rule.ci_high, rule.limit, rule.p_value),
                    *(rule.n, rule.groups, rule.noise, rule.reason),
                )
                for rule in self.record.rules
            ),
        )

    def __repr__(self) -> str:
        return one_line(f"<GateResult {self.verdict} {self._names}: {self.reason}>")

    @property
    def _names(self) -> str:
        return f"{self.record.candidate} against {self.record.baseline}"

    def _repr_html_(self) -> str:
        """The verdict as a notebook shows it."""
        rules = () if self.problems else tuple(map(completed, self.record.rules))
        return render(
            Card(
                badge=self.verdict,
                tone=self.verdict.lower(),
                title=self._names,
                lines=(*(() if self.problems else (self.reason,)), f"report: {self.report}"),
                problems=self.problems,
                head=("rule", "outcome", "candidate", "baseline", "estimate"),
                rows=tuple(
                    (
                        f"{rule_name(rule)} {requirement(rule)}"
                        if rule.metric
                        else requirement(rule),
                        f"{SYMBOLS[rule.outcome]} {rule.outcome}",
                        own_value(rule, rule.candidate),
                        own_value(rule, rule.baseline),
                        bounded(estimate_of(rule), interval_of(rule)),
                    )
                    for rule in rules
                ),
                whole="rules()",
            )
        )


def gate(
    candidate: str,
    *,
    config: str | os.PathLike[str] = CONFIG_NAME,
    baseline: str | None = None,
    suites: Sequence[str] = (),
    stored: bool = False,
    repeats: int | None = None,
    concurrency: int | None = None,
    no_cache: bool = False,
    progress: bool = True,
) -> GateResult:
    """Judge a candidate and write its report, as `harness gate` does; returns the verdict.

    What is missing is asked first, and pytest runs Python tests of the suites that lack scores, in
    a process of its own; with `stored` neither happens. `baseline` takes the place of the policy's,
    `suites` narrows to those named. `repeats` is how often each case is asked, `concurrency` how
    many requests are under way at once, and with `no_cache` everything is asked again. With
    `progress` a line now and then goes to standard error. An event loop of the caller's may be
    running.

    Raises:
        UsageError: a name, a file or the configuration is to be corrected first.
        EvidenceError: no verdict can be given: an adapter has no effect, an answer is missing.
        InfrastructureError: a server or the disk fails.
    """
    if isinstance(suites, str):
        raise UsageError(f"suites is a list of names, not `{suites}`", hint=f'suites=["{suites}"]')
    for name, number in (("repeats", repeats), ("concurrency", concurrency)):
        if number is not None and number < 1:
            raise UsageError(f"{name} must be 1 or more, not {number}")
    project = load_project(Path(config))
    selection = Selection(suites=tuple(suites), repeats=repeats, concurrency=concurrency)
    request = GateRequest(candidate, baseline, selection, stored, no_cache)
    with open_gate(project, request, ProgressLines(sys.stderr if progress else None)) as session:
        outcome = session.run(candidate)
    context, verdict = session.context, outcome.verdict
    return GateResult(_compared(context, outcome), verdict, context.folder(candidate) / HTML)


def _compared(context: GateContext, outcome: GateOutcome) -> Comparison:
    found, verdict, runs = outcome.comparison, outcome.verdict, context.project.runs
    theirs = runs / verdict.baseline_run if context.sealed is None else context.project.baselines
    sides = Run(runs / verdict.candidate_run, found.candidate), Run(theirs, found.baseline)
    return Comparison(*sides, found, verdict.alpha, verdict.problems)


class ProgressLines:
    """Writes a line on steps and progress now and then to a stream, or nowhere without one."""

    def __init__(self, stream: TextIO | None, clock: Clock = SYSTEM_CLOCK) -> None:
        self._stream = stream
        self._clock = clock
        self._last: dict[str, float] = {}

    def say(self, text: str) -> None:
        """Write down a step that begins."""
        if self._stream is not None:
            self._stream.write(f"{text}\n")

    def progress(self, stage: str, done: int, total: int, detail: str) -> None:
        """Write down that `done` of `total` are over, at the end and every ten seconds."""
        now = self._clock.now()
        if done < total and now - self._last.get(stage, now - EVERY) < EVERY:
            return
        self._last[stage] = now
        self.say(f"{stage}: {done}/{total}{', ' if detail else ''}{detail}")
