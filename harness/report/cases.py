"""The paired cases of a comparison, grouped by their change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from harness.records.attempt import Attempt, Score
from harness.records.comparison import ComparisonRecord, PairedCase
from harness.report import formats
from harness.report.text import Clip, anchor, clip
from harness.report.text_limits import TextLimits, choose_limits
from harness.report.word_diff import TextPart, WordDifference, compare_clips
from harness.visible_text import one_line, visible

Fate = Literal[
    "new_failure", "worse", "fixed", "better", "still_failing", "not_comparable", "changed",
    "unchanged", "same",
]  # fmt: skip

_GROUPS: tuple[tuple[Fate, str, str], ...] = (
    ("new_failure", "New failures", "The baseline passes, the candidate fails."),
    ("worse", "Worse", "The candidate's value is worse; no value is a failure by itself."),
    ("fixed", "Fixed", "The baseline fails, the candidate passes."),
    ("better", "Better", "The candidate's value is better."),
    ("still_failing", "Still failing", "Neither passes."),
    ("not_comparable", "Not comparable", "At least one side has no score."),
    ("changed", "Passing, answer changed", "Both pass with different answers."),
    ("unchanged", "Passing, answer unchanged", "Both pass with the same answer."),
    ("same", "Same value", "Both sides have the same value."),
)


@dataclass(frozen=True, slots=True)
class CaseCount:
    """How many cases; `answers` says how many of their answers, and is empty without repeats."""

    cases: int
    answers: str


@dataclass(frozen=True, slots=True)
class TurnText:
    """One message of the conversation."""

    role: str
    content: Clip


@dataclass(frozen=True, slots=True)
class AnswerText:
    """One side's answer, the thinking before it, and its score.

    `parts` is the answer again, with the words marked that the other side lacks; it is empty where
    none are marked.
    """

    answer: Clip
    thinking: Clip
    parts: tuple[TextPart, ...]
    note: str
    verdict: str
    value: str
    label: str
    reason: str
    repeat_of_other: bool


@dataclass(frozen=True, slots=True)
class CaseText:
    """One case and repeat on both sides; `anchor` is its id, `expected` empty if nothing is.

    `number` is the same for all repeats of a case, `repeat` is empty where there is only one.
    `difference` says why no words are marked though the answers differ, or is empty.
    """

    anchor: str
    number: int
    path: str
    section: str
    repeat: str
    group: str
    tags: tuple[str, ...]
    critical: bool
    preview: str
    turns: tuple[TurnText, ...]
    expected: str
    candidate: AnswerText
    baseline: AnswerText
    difference: str

    @property
    def clips(self) -> tuple[Clip, ...]:
        """The texts, whole or cut."""
        turns = (turn.content for turn in self.turns)
        return (self.baseline.answer, self.candidate.answer, *turns)


@dataclass(frozen=True, slots=True)
class CaseGroup:
    """Cases with the same fate; with repeats a case is in it once for each such answer."""

    key: Fate
    title: str
    hint: str
    size: CaseCount
    cases: tuple[CaseText, ...]

    @property
    def once(self) -> tuple[CaseText, ...]:
        """The first answer of each case."""
        first: dict[int, CaseText] = {}
        for case in self.cases:
            first.setdefault(case.number, case)
        return tuple(first.values())


def repeats_of(comparison: ComparisonRecord) -> int:
    """How often each case was asked, at least once."""
    planned = int(comparison.candidate.header.generation.get("repeats", 1))
    return max([planned, *(case.repeat + 1 for case in comparison.cases)])


def count_cases(answers: Sequence[PairedCase], repeats: int) -> CaseCount:
    """How many different cases these answers belong to, and with repeats how many they are."""
    words = formats.counted(len(answers), "answer") if answers and repeats > 1 else ""
    return CaseCount(len({answer.path for answer in answers}), words)


def count_words(count: CaseCount, more: str = "") -> str:
    """The number of cases in words, with the number of answers and `more`."""
    cases = formats.counted(count.cases, "case") if count.answers else str(count.cases)
    details = ", ".join(filter(None, (count.answers, more)))
    return f"{cases} ({details})" if details else cases


def build_groups(comparison: ComparisonRecord) -> tuple[CaseGroup, ...]:
    """The cases by their fate, new failures first, critical cases first in each group.

    The answers of one case stand together, in the order of the repeats.
    """
    limits, repeats = choose_limits(comparison), repeats_of(comparison)
    paths = dict.fromkeys(case.path for case in comparison.cases)
    places = {path: place for place, path in enumerate(paths)}
    found: dict[Fate, list[PairedCase]] = {key: [] for key, _, _ in _GROUPS}
    for case in comparison.cases:
        found[_fate(case)].append(case)
    groups: list[CaseGroup] = []
    for key, title, hint in _GROUPS:
        cases = sorted(found[key], key=lambda c: (not c.critical, places[c.path], c.repeat))
        if cases:
            built = tuple(
                _build_case(case, comparison, limits, places[case.path], repeats) for case in cases
            )
            groups.append(CaseGroup(key, title, hint, count_cases(cases, repeats), built))
    return tuple(groups)


def _fate(case: PairedCase) -> Fate:
    if case.change != "still_passing":
        return case.change
    same = case.candidate_attempt.text == case.baseline_attempt.text
    return "unchanged" if same else "changed"


def _build_case(
    case: PairedCase, comparison: ComparisonRecord, limits: TextLimits, number: int, repeats: int
) -> CaseText:
    limit = limits.of_case(case)
    runs = (comparison.candidate, comparison.baseline)
    known = {run.header.system_prompts.get(case.suite) for run in runs}
    # The report has the suite's own system prompt once for all its cases.
    turns = tuple(
        TurnText(message.role, clip(message.content, limit))
        for message in case.messages
        if message.role != "system" or message.content not in known
    )
    ours, theirs = case.candidate_attempt, case.baseline_attempt
    candidate, baseline = clip(ours.text or "", limit), clip(theirs.text or "", limit)
    differ = ours.text != theirs.text
    same = not differ and ours.status == theirs.status == "answered" and ours.state != "empty"
    marked = compare_clips(baseline, candidate, limits.edits) if differ else WordDifference()
    unit = _unit(case, comparison)
    return CaseText(
        anchor=anchor(case.path, case.repeat),
        number=number,
        path=one_line(case.path, 200),
        section=one_line(f"{case.suite}/{case.section}", 120),
        repeat=f"repeat {case.repeat + 1} of {repeats}" if repeats > 1 else "",
        group=one_line(case.group, 120),
        tags=tuple(one_line(tag, 60) for tag in case.tags),
        critical=case.critical,
        preview=one_line(case.messages[-1].content, 80),
        turns=turns,
        expected=one_line(expected(case.expect), 600),
        candidate=build_answer(
            ours, case.candidate_score, unit, None if same else candidate, marked.candidate, limit
        ),
        baseline=build_answer(theirs, case.baseline_score, unit, baseline, marked.baseline, limit),
        difference=marked.note,
    )


def expected(expect: Mapping[str, Any]) -> str:
    """The expectation as a suite's author wrote it, key by key, or turn by turn."""
    turns = expect.get("turns")
    if isinstance(turns, list):
        told = ((number, one) for number, one in enumerate(turns, 1) if isinstance(one, dict))
        return "; ".join(f"turn {number}: {expected(one)}" for number, one in told)
    return "; ".join(
        f"{key}: {', '.join(map(str, value)) if isinstance(value, list) else value}"
        for key, value in expect.items()
    )


def build_answer(
    attempt: Attempt,
    score: Score,
    unit: formats.Unit,
    text: Clip | None,
    parts: tuple[TextPart, ...],
    limit: int,
) -> AnswerText:
    """One side's answer; without a text it repeats the other's."""
    # A value says no more than the verdict where it is that of a pass or a failure.
    plain = score.value is None or (score.passed is not None and score.value in (0.0, 1.0))
    verdict = score.status if score.passed is None else "pass" if score.passed else "fail"
    # Scorers may quote an answer, so a reason can be as long as one.
    return AnswerText(
        answer=text or Clip(""),
        thinking=clip(attempt.reasoning or "", limit),
        parts=parts,
        note=_note(attempt),
        verdict=verdict,
        value="" if plain else unit.value(score.value),
        label=one_line(score.label, 120),
        reason=one_line(score.reason, 600),
        repeat_of_other=text is None,
    )


def _unit(case: PairedCase, comparison: ComparisonRecord) -> formats.Unit:
    """The unit of the first metric of the case's section."""
    plans = comparison.candidate.header.sections
    metrics = (
        one.metrics for one in plans if (one.suite, one.section) == (case.suite, case.section)
    )
    return formats.unit_named(next((found[0].unit for found in metrics), "share"))


def _note(attempt: Attempt) -> str:
    notes: list[str] = []
    if attempt.failure is not None:
        failure = attempt.failure
        status = f" {failure.status}" if failure.status is not None else ""
        detail = f": {one_line(failure.detail, 300)}" if failure.detail else ""
        notes.append(f"The request failed ({failure.cause}{status}){detail}")
    elif attempt.state == "empty":
        _, _, how = attempt.emptiness.partition(": ")
        notes.append(f"The answer is empty: {how}" if how else "The answer is empty")
    elif attempt.state == "truncated":
        notes.append("The answer was cut off at the token limit")
    elif attempt.state == "filtered":
        notes.append(f"A content filter stopped the answer ({attempt.finish_reason})")
    if attempt.tries > 1:
        notes.append(f"sent {attempt.tries} times")
    return visible("; ".join(notes))
