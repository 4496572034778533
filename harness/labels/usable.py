"""Which labels hold for the answers at hand, and why others do not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.labels.files import answer_digest, cases_digest
from harness.records.label import Label
from harness.records.run import RunRecord
from harness.records.suite import Suite


@dataclass(frozen=True, slots=True)
class Usable:
    """The labels that hold for the answers at hand; `left_out` counts the others by reason."""

    labels: tuple[Label, ...]
    left_out: Mapping[str, int]


def usable(labels: Sequence[Label], suites: Sequence[Suite], runs: Sequence[RunRecord]) -> Usable:
    """The labels of these runs' answers to these suites, each label once.

    Labels given `again`, and those of other targets and suites of the project, are no loss and not
    counted.
    """
    if not labels:
        return Usable((), {})
    digests = {
        (suite.name, section.name): cases_digest(section)
        for suite in suites
        for section in suite.sections
    }
    answers = {
        (one.suite, one.section, one.case, one.repeat, run.header.target): one.text
        for run in runs
        for one in run.attempts
    }
    targets = {run.header.target for run in runs}
    kept: dict[tuple[object, ...], Label] = {}
    left_out: Counter[str] = Counter()
    for label in labels:
        if label.again or label.suite not in {suite for suite, _ in digests}:
            continue
        if label.target not in targets:
            continue
        reason = _misfit(label, digests, answers)
        if reason:
            left_out[reason] += 1
        else:
            kept[*label.of_answer, label.rater, label.criterion] = label
    return Usable(tuple(kept.values()), left_out)


def _misfit(
    label: Label,
    digests: Mapping[tuple[str, str], str],
    answers: Mapping[tuple[str, str, str, int, str], str | None],
) -> str:
    digest = digests.get(label.place)
    if digest is None:
        return "of a section that the suite does not have"
    if label.cases != digest:
        return "of another version of the section's cases"
    if label.of_answer not in answers:
        return "of a case that was not asked"
    if label.answer != answer_digest(answers[label.of_answer]):
        return "of an answer that has changed"
    return ""


def unknown_targets(labels: Sequence[Label], known: Sequence[str]) -> Mapping[str, int]:
    """How many labels are of each target that is none of the known ones."""
    return Counter(label.target for label in labels if label.target not in known)
