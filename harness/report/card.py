"""What the card of a verdict tells beside its rules: failing cases, labels, what was changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.records.attempt import UNDETERMINED, Score
from harness.records.comparison import Change, ComparisonRecord, PairedCase
from harness.records.rule import kind_of
from harness.records.verdict import RuleResult, Verdict
from harness.report.cases import CaseCount, count_cases, repeats_of
from harness.visible_text import one_line

# How the cases that a rule fails by came to fail, and what they are called in a sentence.
_FAILING: tuple[tuple[Change, str], ...] = (
    ("new_failure", "newly failing"), ("worse", "worse"), ("still_failing", "still failing"),
)  # fmt: skip

_NAMED = 3


@dataclass(frozen=True, slots=True)
class FailingCases:
    """Cases that a rule fails by; `section` is empty where they are of any, `critical` only them.

    The page's filter by `change` and section, or by `change` and critical, shows them.
    """

    change: Change
    words: str
    section: str
    critical: bool
    size: CaseCount


@dataclass(frozen=True, slots=True)
class SectionLabels:
    """How often each label was given to a section's answers, on both sides, most frequent first."""

    section: str
    candidate: str
    baseline: str


def failing_cases(comparison: ComparisonRecord, rule: RuleResult) -> tuple[FailingCases, ...]:
    """The cases that speak against a rule, newly failing ones first; none where no case does.

    They are the section's of the rule's metric, or the critical ones for a rule on these.
    """
    section = (rule.metric or "").rpartition(".")[0]
    critical = kind_of(rule).critical_changes
    if not section and not critical:
        return ()
    found = []
    for change, words in _FAILING:
        cases = [
            case
            for case in comparison.cases
            if case.change == change and (case.critical if critical else _in(case, section))
        ]
        if cases and (not critical or change in critical):
            size = count_cases(cases, repeats_of(comparison))
            where = one_line(section.replace(".", "/", 1), 120)
            found.append(FailingCases(change, words, where, bool(critical), size))
    return tuple(found)


def _in(case: PairedCase, section: str) -> bool:
    return f"{case.suite}.{case.section}" == section


def label_rows(comparison: ComparisonRecord) -> tuple[SectionLabels, ...]:
    """The labels of each section whose scorer gives any."""
    rows = []
    for plan in comparison.candidate.header.sections:
        place = (plan.suite, plan.section)
        ours, theirs = (
            labels(score for score in run.scores if score.place == place)
            for run in (comparison.candidate, comparison.baseline)
        )
        if ours or theirs:
            rows.append(SectionLabels(one_line("/".join(place), 120), ours, theirs))
    return tuple(rows)


def labels(scores: Iterable[Score]) -> str:
    """The labels of scores in words: `answered: 40, refused: 12, undetermined: 5`."""
    counts = Counter(one_line(score.label, 60) for score in scores if score.label)
    return ", ".join(f"{label}: {count:,}" for label, count in counts.most_common())


def undetermined(comparison: ComparisonRecord) -> tuple[int, int]:
    """How many answers of the candidate and of the baseline no scorer could tell."""
    ours, theirs = (
        sum(score.label == UNDETERMINED for score in run.scores)
        for run in (comparison.candidate, comparison.baseline)
    )
    return ours, theirs


def card_lines(
    verdict: Verdict, failing: Sequence[FailingCases], unclear: tuple[int, int]
) -> tuple[str, ...]:
    """What a card tells in sentences: failing cases, critical ones, labels, and what was changed.

    `failing` are the cases of the deciding rule, `unclear` the undetermined answers of both sides.
    """
    lines = []
    if failing and verdict.deciding is not None:
        told = ", ".join(f"{one.size.cases:,} {one.words}" for one in failing)
        lines.append(f"cases that `{_name(verdict.deciding)}` fails by: {told}")
    if still := verdict.still_critical:
        lines.append(f"{critical_words(still)}: {_named(still)}")
    if any(unclear):
        lines.append(f"undetermined: {unclear[0]}, the baseline's {unclear[1]}")
    if changed := verdict.changed_since:
        what = dict.fromkeys(one_line(found.place, 80) for found in changed)
        lines.append(f"changed since the last verdict on this candidate: {', '.join(what)}")
    return tuple(lines)


def critical_words(paths: Sequence[str]) -> str:
    """How many critical cases still fail, in words."""
    many = len(paths)
    return f"{many} critical case{'s' if many > 1 else ''} still fail{'s' if many == 1 else ''}"


def _name(rule: RuleResult) -> str:
    return one_line(rule.metric or rule.require, 120)


def _named(paths: Sequence[str]) -> str:
    more = f" and {len(paths) - _NAMED} more" if len(paths) > _NAMED else ""
    return ", ".join(f"`{one_line(path, 120)}`" for path in paths[:_NAMED]) + more
