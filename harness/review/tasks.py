"""The questions of each task, from what the suites say of how people are to grade."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from harness.records.suite import Case, Section
from harness.review.items import Choice, Question
from harness.sections.review import DEFAULT_CRITERIA, Criterion

LEFT, RIGHT, TIE, BOTH_BAD = "first", "second", "tie", "both-bad"
CORRECT = Question(
    criterion="correct",
    title="Is the answer right?",
    choices=(Choice(code="right", title="right"), Choice(code="wrong", title="wrong")),
    values={"right": 1.0, "wrong": 0.0},
    instructions="Right is an answer that a customer could rely on; its words do not matter.",
)
_BEHAVIOR = (
    Choice(code="answered", title="answered"),
    Choice(code="refused", title="refused"),
    Choice(code="mixed", title="mixed"),
)
PREFERRED = Question(
    criterion="preferred",
    title="Which answer is better?",
    choices=(
        Choice(code=LEFT, title="left"),
        Choice(code=RIGHT, title="right"),
        Choice(code=TIE, title="tie"),
        Choice(code=BOTH_BAD, title="both bad"),
    ),
)


def behavior_question(expected: str) -> Question:
    """The question whether an answer answers or refuses, where one of the two is expected.

    A mixed answer is not what was expected.
    """
    wanted = {"answer": "answered", "refuse": "refused"}.get(expected, expected)
    return Question(
        criterion="correct",
        title="What does the answer do?",
        choices=_BEHAVIOR,
        values={choice.code: float(choice.code == wanted) for choice in _BEHAVIOR},
        instructions=(
            "Answered: it deals with what was asked. Refused: it declines. Mixed: it does both."
        ),
    )


def label_question(place: str, section: Section, case: Case) -> tuple[str, Question]:
    """The question about a case's answers whose reply is the truth of a scorer's decision.

    It has a name; `place` is that of the section.
    """
    criterion, levels = section.rubric_for_people()
    if levels:
        return f"label {place}", _levels_question(criterion, levels)
    behavior = case.expect.get("behavior")
    if isinstance(behavior, str):
        return f"label {behavior}", behavior_question(behavior)
    return "label", CORRECT


def _levels_question(criterion: str, levels: Mapping[str, float]) -> Question:
    """The question that a judge was asked; the lowest level is the first."""
    ordered = sorted(levels.items(), key=lambda each: each[1])
    return Question(
        criterion=CORRECT.criterion,
        title=criterion,
        choices=tuple(Choice(code=str(at), title=words) for at, (words, _) in enumerate(ordered)),
        values={str(at): value for at, (_, value) in enumerate(ordered)},
        measurement="ordinal",
    )


def prefer_question(place: str, section: Section) -> tuple[str, Question]:
    """The question which of two answers is better, by the section's criterion where it has one."""
    criterion, _ = section.rubric_for_people()
    if not criterion:
        return "prefer", PREFERRED
    return f"prefer {place}", PREFERRED.model_copy(update={"instructions": criterion})


def grade_questions(criteria: Mapping[str, Criterion] | None) -> tuple[Question, ...]:
    """One question for each criterion; the usual ones where a suite writes none."""
    return tuple(
        Question(
            criterion=name,
            title=criterion.title or name,
            choices=tuple(
                Choice(code=str(at), title=words) for at, words in enumerate(criterion.levels, 1)
            ),
            values={str(at): float(at) for at in range(1, len(criterion.levels) + 1)},
            measurement=criterion.measurement,
            instructions=criterion.instructions,
            examples=criterion.examples,
        )
        for name, criterion in (criteria or DEFAULT_CRITERIA).items()
    )


def reference_of(case: Case) -> tuple[str, ...]:
    """What the case expects, a line a key; nothing that would give away how to label it."""
    return tuple(
        f"{key}: {_words(value)}" for key, value in case.expect.items() if key != "behavior"
    )


def _words(value: object) -> str:
    if isinstance(value, Iterable) and not isinstance(value, str | bytes | Mapping):
        return " · ".join(map(str, value))
    return str(value)
