"""Comparisons of two runs as pandas frames."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from harness.api.card import Card, bounded, render
from harness.api.frames import DIFFERENCES, PAIRS, frame
from harness.api.run import Run, load_run
from harness.config import CONFIG_NAME, load_project
from harness.errors import EvidenceError, UsageError
from harness.gate.compare import compare as paired
from harness.gate.differences import difference, losses, policy_caps
from harness.gate.judge import doubts
from harness.records.attempt import Score
from harness.records.comparison import Change, ComparisonRecord, PairedCase, PairedMetric
from harness.records.suite import Suite
from harness.report import formats
from harness.run.rescore import restricted_run
from harness.sections.evidence import counted, grounds
from harness.sections.section_kinds import load_suites
from harness.visible_text import one_line

if TYPE_CHECKING:
    import pandas as pd

DEFAULT_ALPHA = 0.05
_WORDS = {"new_failure": "new failures", "same": "the same"}


@dataclass(frozen=True, eq=False, repr=False)
class Comparison:
    """A candidate's run beside a baseline's, paired by case and repeat.

    The frames are made of `record`; bounds are at level `alpha` each. `problems` lists every reason
    not to trust the numbers. `caps` are the values at which the policy cuts those of metrics
    without bounds, by the metric's full name.
    """

    candidate: Run
    baseline: Run
    record: ComparisonRecord
    alpha: float
    problems: tuple[str, ...]
    caps: Mapping[str, float] = field(default_factory=dict)

    def frame(self) -> pd.DataFrame:
        """One row a case and repeat that both runs have; docs/python.md has the columns."""
        return frame(PAIRS, map(_pair, self.record.cases))

    def metrics(self) -> pd.DataFrame:
        """One row a metric: both values and the paired difference with its bounds.

        Raises:
            EvidenceError: the comparison has `problems`.
        """
        if self.problems:
            more = f" (and {len(self.problems) - 1} more)" if len(self.problems) > 1 else ""
            raise EvidenceError(f"{self.problems[0]}{more}", hint="frame() has the answers")
        return frame(DIFFERENCES, self._differences())

    def _differences(self) -> Iterator[tuple[Any, ...]]:
        of_loss = {each.metric: each.p_value for each in losses(self.record, self.alpha, self.caps)}
        for name, metric in self.record.metrics.items():
            suite, section, _ = name.split(".", 2)
            values = (metric.candidate_value, metric.baseline_value)
            numbers_of, reason = _difference(metric, self.alpha, self.caps.get(name))
            estimate, low, high, p_value, n, groups = numbers_of
            yield (
                *(name, suite, section, *values, estimate, low, high, p_value),
                *(of_loss.get(name), n, groups, reason),
            )

    def __repr__(self) -> str:
        counts = formats.counted(len(self.record.cases), "pair")
        if self.problems:
            counts += f", {formats.counted(len(self.problems), 'problem')}"
        return one_line(f"<Comparison {self._names}: {counts}>")

    @property
    def _names(self) -> str:
        return f"{self.candidate.target} against {self.baseline.target}"

    def _repr_html_(self) -> str:
        """The comparison as a notebook shows it."""
        changes = Counter(case.change for case in self.record.cases)
        counts = ", ".join(
            f"{formats.count(changes[change])} {_WORDS.get(change, change.replace('_', ' '))}"
            for change in get_args(Change)
            if changes[change]
        )
        rows = []
        differences = () if self.problems else self._differences()
        for name, _, _, ours, theirs, estimate, low, high, *_, reason in differences:
            unit = formats.unit_named(self.record.metrics[name].metric.unit)
            span = formats.interval(low, high, unit.difference)
            apart = reason or bounded(unit.difference(estimate), span)
            rows.append((name, unit.value(ours), unit.value(theirs), apart))
        return render(
            Card(
                title=self._names,
                lines=(f"{formats.count(len(self.record.cases))} pairs: {counts}",),
                problems=self.problems,
                head=("metric", "candidate", "baseline", "difference"),
                rows=tuple(rows),
            )
        )


def compare(
    candidate: Run | str | os.PathLike[str],
    baseline: Run | str | os.PathLike[str],
    *,
    config: str | os.PathLike[str] | None = None,
    alpha: float | None = None,
) -> Comparison:
    """Two stored runs, loaded or by their paths, on the suites that both were run on.

    The project is that of `config`, or of the `harness.yaml` in a folder above the candidate's
    run; `alpha` is its policy's unless it is given. No request is sent.

    Raises:
        UsageError: there is no such run, no configuration, or no suite in common.
        EvidenceError: a run is not finished, was changed, or was on another version of a suite.
    """
    ours, theirs = (
        each if isinstance(each, Run) else load_run(each) for each in (candidate, baseline)
    )
    project = load_project(_above(ours.path) if config is None else Path(config))
    suites = _shared(ours, theirs, load_suites(project))
    if alpha is None:
        alpha = DEFAULT_ALPHA if project.config.gate is None else project.config.gate.alpha
    elif not 0.0 < alpha < 0.5:
        raise UsageError(f"alpha {alpha:g} is no level", hint="give one between 0 and 0.5")
    now = grounds(project, theirs.record.header)
    candidate_run, baseline_run = (
        restricted_run(counted(each.record, now), suites) for each in (ours, theirs)
    )
    found = paired(candidate_run, baseline_run, suites)
    policy = project.config.gate
    problems = found.problems if policy is None else doubts(found, policy)
    sides = Run(ours.path, found.candidate), Run(theirs.path, found.baseline)
    return Comparison(*sides, found, alpha, problems, policy_caps(policy))


def _above(path: Path) -> Path:
    for folder in path.parents:
        if (folder / CONFIG_NAME).is_file():
            return folder / CONFIG_NAME
    raise UsageError(
        f"no {CONFIG_NAME} in a folder above it, so its suites are not known",
        where=str(path),
        hint="name the project's with config=",
    )


def _shared(ours: Run, theirs: Run, suites: Sequence[Suite]) -> tuple[Suite, ...]:
    both = set(ours.record.header.suites) & set(theirs.record.header.suites)
    shared = tuple(suite for suite in suites if suite.name in both)
    if not shared:
        raise UsageError(
            f"`{ours.run_id}` and `{theirs.run_id}` have no suite of the project in common"
        )
    for run in (ours, theirs):
        for suite in shared:
            if run.record.header.suites[suite.name] != suite.digest:
                raise EvidenceError(
                    f"was run on another version of suite `{suite.name}`",
                    where=str(run.path),
                    hint=f"restore the suite, or `harness run {run.target}` on this version",
                )
    return shared


def _pair(case: PairedCase) -> tuple[Any, ...]:
    return (
        *(case.suite, case.section, case.case, case.repeat, case.group),
        *(case.tags, case.critical, case.change, case.messages[-1].content),
        *_side(case.candidate_score, case.candidate_attempt.text),
        *_side(case.baseline_score, case.baseline_attempt.text),
    )


def _side(score: Score, text: str | None) -> tuple[Any, ...]:
    return score.status, score.passed, score.value, score.reason, text


def _difference(
    metric: PairedMetric, alpha: float, cap: float | None
) -> tuple[tuple[Any, ...], str]:
    """Estimate, bounds, p-value and counts, or why there are none."""
    try:
        found = difference(metric, alpha, cap)
    except ValueError as error:
        return (None,) * 6, str(error)
    return (
        (found.estimate, found.low, found.high, found.p_value, found.n, found.groups),
        "",
    )
