"""What asking every case more than once showed, in one sentence."""

from __future__ import annotations

from collections.abc import Sequence

from harness.records.run import Run
from harness.report import numbers

UNSTEADY = "at temperature 0 the target does not answer alike each time"


def repeats_sentences(runs: Sequence[Run]) -> list[str]:
    """For each run in how many cases its repeats' texts differ, empty for one repeat.

    No sentence has a full stop. The first that tells of differences at temperature 0, where there
    should be none, says so: it need not be said twice.
    """
    told = [_sentence(run) for run in runs]
    for place, run in enumerate(runs):
        if told[place] and run.summary.repeats.differ and _temperature(run) == 0.0:
            told[place] += f"; {UNSTEADY}"
            break
    return told


def _sentence(run: Run) -> str:
    repeats = int(run.header.generation.get("repeats", 1))
    if repeats < 2 or not run.summary.repeats.cases:
        return ""
    differ, cases = run.summary.repeats.differ, run.summary.repeats.cases
    found = numbers.count(differ) if differ else "none"
    return (
        f"{numbers.count(repeats)} repeats a case at temperature {_temperature(run):g}: "
        f"texts differ in {found} of {numbers.counted(cases, 'case')}"
    )


def _temperature(run: Run) -> float:
    return float(run.header.generation.get("temperature", 0.0))
