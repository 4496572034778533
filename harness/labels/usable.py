"""Which labels hold for the answers at hand, and why others do not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from harness.labels.files import answer_digest, cases_digest
from harness.records.label import Label
from harness.records.run import RunRecord
from harness.records.suite import Suite


@dataclass(frozen=True, slots=True)
class Usable:
    """The labels that hold for the answers of each run, in the order of the runs.

    `left_out` counts by reason the labels that hold for none.
    """

    by_run: tuple[tuple[Label, ...], ...]
    left_out: Mapping[str, int]


def usable(
    labels: Sequence[Label],
    suites: Sequence[Suite],
    runs: Sequence[RunRecord],
    known: Collection[str] = (),
) -> Usable:
    """The labels of these runs' answers to these suites, each rater's word once in a sample.

    Labels given `again`, and those of other suites and of the other `known` targets, are no loss
    and not counted.
    """
    if not labels:
        return Usable(tuple(() for _ in runs), {})
    digests = {
        (suite.name, section.name): cases_digest(section)
        for suite in suites
        for section in suite.sections
    }
    names = {suite.name for suite in suites}
    left: dict[int, str] = {
        place: "of an unknown target" if label.target not in known else ""
        for place, label in enumerate(labels)
        if label.suite in names and not label.again
    }
    by_run = []
    for run in runs:
        answers = {(one.suite, one.section, one.case, one.repeat): one.text for one in run.attempts}
        kept: dict[tuple[object, ...], Label] = {}
        for place in tuple(left):
            label = labels[place]
            if label.target == run.header.target:
                left[place] = _misfit(label, digests, answers)
                if not left[place]:
                    kept[*label.of_answer, label.rater, label.criterion, label.sample] = label
        by_run.append(tuple(kept.values()))
    used = {label for one in by_run for label in one}
    reasons = (why for place, why in left.items() if why and labels[place] not in used)
    return Usable(tuple(by_run), dict(Counter(reasons)))


def _misfit(
    label: Label,
    digests: Mapping[tuple[str, str], str],
    answers: Mapping[tuple[str, str, str, int], str | None],
) -> str:
    digest = digests.get(label.place)
    if digest is None:
        return "of a section that the suite does not have"
    if label.cases != digest:
        return "of another version of the section's cases"
    key = (*label.place, label.case, label.repeat)
    if key not in answers:
        return "of a case that was not asked"
    if label.answer != answer_digest(answers[key]):
        return "of an answer that has changed"
    return ""
