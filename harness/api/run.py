"""Runs: a finished run, or a sealed baseline, as frames."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.api.card import Card, render
from harness.api.frames import ATTEMPTS, TERMS, VALUES, frame
from harness.errors import EvidenceError, UsageError
from harness.gate.sealed_file import read_sealed
from harness.records.attempt import Attempt, Score
from harness.records.run import RunRecord
from harness.records.summary import Summary
from harness.report import formats
from harness.run.rescore import header_on
from harness.storage import RunFolder
from harness.visible_text import one_line

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False, repr=False)
class Run:
    """A finished run of one target; the frames are made of `record`.

    `path` is the run's folder, or the file or folder of a sealed baseline.
    """

    path: Path
    record: RunRecord

    @property
    def target(self) -> str:
        """The name of the target that answered."""
        return self.record.header.target

    @property
    def run_id(self) -> str:
        """The run's id, which follows from its content."""
        return self.record.header.run_id

    @property
    def summary(self) -> Summary:
        """The summary of the run: accounting, states, metrics, tokens."""
        return self.record.header.summary or self.record.summary

    def frame(self) -> pd.DataFrame:
        """One row an attempt, in the order of the suites' cases; docs/python.md has the columns.

        Raises:
            EvidenceError: the files changed after the run was finished, or do not fit together.
        """
        return frame(ATTEMPTS, (_attempt(*pair) for pair in self._scored()))

    def terms(self) -> pd.DataFrame:
        """One row an attempt and metric: its share in the metric, which is sum(num) / sum(den).

        Raises:
            EvidenceError: the files changed after the run was finished.
        """
        return frame(TERMS, (row for score in self.record.scores for row in _terms(score)))

    def metrics(self) -> pd.DataFrame:
        """One row a metric, over all attempts.

        Raises:
            EvidenceError: the files changed after the run was finished.
        """
        sums: dict[tuple[str, str, str], list[float]] = {
            (section.suite, section.section, metric.name): [0.0, 0.0, 0]
            for section in self.record.header.sections
            for metric in section.metrics
        }
        for score in self.record.scores:
            for metric, term in score.terms.items():
                found = sums.setdefault((score.suite, score.section, metric), [0.0, 0.0, 0])
                found[0] += term.num
                found[1] += term.den
                found[2] += 1
        return frame(VALUES, (_value(place, *found) for place, found in sums.items()))

    def _scored(self) -> Iterator[tuple[Score, Attempt]]:
        attempts = {attempt.key: attempt for attempt in self.record.attempts}
        scores = tuple(self.record.scores)
        if {score.key for score in scores} != set(attempts):
            raise EvidenceError(
                f"has {len(attempts)} attempts and {len(scores)} scores that do not fit together",
                where=str(self.path),
                hint=f"harness score {self.target}",
            )
        return ((score, attempts[score.key]) for score in scores)

    def __repr__(self) -> str:
        return f"<Run {one_line(self.run_id)}: {self.summary.accounting}>"

    def _repr_html_(self) -> str:
        """The run as a notebook shows it."""
        summary, header = self.summary, self.record.header
        units = {name: metric.unit for name, metric in header.definitions().items()}
        counts = ", ".join(f"{formats.count(n)} {what}" for what, n in summary.accounting)
        others = [f"{count} {state}" for state, count in summary.states.items() if state != "ok"]
        notes = (f"answers: {', '.join(others)}",) if others else ()
        return render(
            Card(
                title=f"Run of {self.target}",
                lines=(f"{header.run_id} · {formats.moment(header.created)}", counts, *notes),
                head=("metric", "value"),
                rows=tuple(
                    (name, formats.unit_named(units[name]).value(one))
                    for name, one in summary.metrics.items()
                ),
            )
        )


_GIVE = "give a folder of .harness/runs, or baselines/<suite>/<name>.json"


def load_run(path: str | os.PathLike[str]) -> Run:
    """The run in a folder of `.harness/runs`, or the sealed baseline in a file of `baselines/`.

    A baseline's file holds one suite of the run that was promoted.

    Raises:
        UsageError: there is nothing there, or something else.
        EvidenceError: the run is not finished, or was changed since; a seal is broken.
    """
    place = Path(path).absolute()
    if place.name == "run.json":
        place = place.parent
    if not place.exists():
        raise UsageError("no such run", where=str(path), hint=_GIVE)
    if place.is_dir():
        if RunFolder(place).header() is None:
            raise UsageError("is no folder of a run", where=str(path), hint=_GIVE)
        found = RunFolder(place).load()
        len(found.attempts), len(found.scores)  # reads them: what was changed since is an error now
        return Run(place, found)
    if place.suffix != ".json":
        raise UsageError("is no sealed baseline", where=str(path), hint=_GIVE)
    sealed = read_sealed(place)
    header = header_on(sealed.header, {sealed.suite})
    return Run(place, RunRecord(header, sealed.attempts, sealed.scores, sealed.recorded))


def _attempt(score: Score, attempt: Attempt) -> tuple[Any, ...]:
    timing, usage, failure = attempt.timing, attempt.usage, attempt.failure
    return (
        *(score.suite, score.section, score.case, score.repeat, score.group),
        *(score.tags, score.critical),
        *(score.status, score.state, score.passed, score.value, score.label, score.reason),
        *(attempt.text, attempt.reasoning, attempt.finish_reason),
        *((usage.prompt_tokens, usage.completion_tokens) if usage else (None, None)),
        *(timing.ttft if timing else None, attempt.tta),
        *((timing.service_ttft, timing.e2e) if timing else (None, None)),
        attempt.tries,
        *((failure.cause, failure.status) if failure else (None, None)),
        *(attempt.reused_from, attempt.key),
    )


def _terms(score: Score) -> Iterator[tuple[Any, ...]]:
    for metric, term in score.terms.items():
        yield (
            *(score.suite, score.section, score.case, score.repeat, score.group),
            *(metric, term.num, term.den),
        )


def _value(place: tuple[str, str, str], num: float, den: float, n: float) -> tuple[Any, ...]:
    suite, section, metric = place
    value = num / den if den else None
    return f"{suite}.{section}.{metric}", suite, section, value, num, den, int(n)
