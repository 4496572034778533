"""Narrow: a stored run as if it had been on some of its suites alone, scored as of now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from harness.records.attempt import Attempt
from harness.records.plan import PlannedRequest
from harness.records.run import Run, RunHeader
from harness.records.score import Score
from harness.records.suite import Suite
from harness.run.score import fingerprint, score


def narrowed(run: Run, suites: Sequence[Suite]) -> Run:
    """The run on the given suites, its scores those that the scorers give today.

    Stored scores stand where the scorers are known to be those that gave them, and those of Python
    tests always do.
    """
    names = {suite.name for suite in suites}
    attempts = tuple(item for item in run.attempts if item.suite in names)
    recorded = tuple(item for item in run.recorded if item.score.suite in names)
    taken = tuple(item for item in run.taken if item.suite in names)
    scorers = fingerprint(suites)
    if scorers is not None and scorers == run.header.scorers:
        scores = tuple(item for item in run.scores if item.suite in names)
    else:
        again = scored_again(suites, {item.key: item for item in attempts})
        scores = (*again, *(item.score for item in recorded))
    header = header_on(run.header, names)
    # What was asked of these suites alone is no part of them.
    chosen = {name: value for name, value in header.selection.items() if name != "suite"}
    header = header.model_copy(update={"selection": chosen})
    return replace(
        run, header=header, attempts=attempts, scores=scores, recorded=recorded, taken=taken
    )


def header_on(header: RunHeader, names: set[str]) -> RunHeader:
    """The header of a run as if it had been on these suites alone; its summary is to be made."""
    sections = tuple(section for section in header.sections if section.suite in names)
    return header.model_copy(
        update={
            "sections": sections,
            "planned": sum(section.planned for section in sections),
            "suites": {name: digest for name, digest in header.suites.items() if name in names},
            "system_prompts": {
                name: prompt for name, prompt in header.system_prompts.items() if name in names
            },
            "summary": None,
        }
    )


def scored_again(suites: Sequence[Suite], attempts: Mapping[str, Attempt]) -> Iterator[Score]:
    """The scores of stored attempts, without those whose case the suites do not have."""
    cases = {
        (suite.name, section.name, case.id): case
        for suite in suites
        for section in suite.asked
        for case in section.cases
    }
    asks = []
    for item in attempts.values():
        case = cases.get((item.suite, item.section, item.case))
        if case is not None:  # a suite of another version is noticed when runs are compared
            asks.append(
                PlannedRequest(
                    item.key, item.suite, item.section, case, item.repeat, case.messages, 0
                )
            )
    return (found for found, _ in score(suites, asks, attempts))
