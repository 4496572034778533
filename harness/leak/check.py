"""The suites' cases against the training data of targets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import reduce

import numpy as np

from harness.config import Project
from harness.leak.conversations import Trained
from harness.leak.search import Match, TrainingTexts, answered_cases, contains
from harness.leak.training_data import NamedData, named_data, read_training
from harness.leak.vocabulary import split_words
from harness.records.leakage import Leakage, LeakedCase, LeakKind, TrainingData
from harness.records.suite import Case, Section, Suite

# From the plainest kind of leak to the loosest: a case is told by the first that it is found by.
_ORDER: tuple[LeakKind, ...] = ("verbatim", "normalised", "edited", "reordered", "overlap")


def check_leaks(project: Project, suites: Sequence[Suite], targets: Sequence[str]) -> Leakage:
    """Which cases of the suites stand in the training data of the targets.

    Raises:
        UsageError: a target or a path of it that the configuration may not name.
    """
    return compare_with(project, suites, [named_data(project, target) for target in targets])


def compare_with(project: Project, suites: Sequence[Suite], named: Sequence[NamedData]) -> Leakage:
    """Which cases of the suites stand in that training data."""
    sections = [(suite, section) for suite in suites for section in suite.sections]
    placed = [
        (f"{suite.name}/{section.name}/{case.id}", suite.name, case)
        for suite, section in sections
        if is_compared(section)
        for case in section.cases
    ]
    training: list[TrainingData] = []
    leaked: list[LeakedCase] = []
    told = np.zeros(len(placed), dtype=np.bool_)
    for one in named:
        data, examples = read_training(one, project.root)
        training.append(data)
        if examples:
            leaked += find_leaks(placed, examples, one.target)
            told |= np.array(answered_cases(examples, [accepted(case) for *_, case in placed]))
    return Leakage(
        training=tuple(training),
        compared=len(placed),
        not_compared=tuple(
            f"{suite.name}.{section.name}" for suite, section in sections
            if not is_compared(section) and not section.answers_of
        ),
        answers=int(told.sum()),
        leaked=tuple(leaked),
        groups=len({(one.case.split("/")[0], one.group) for one in leaked}),
    )  # fmt: skip


def is_compared(section: Section) -> bool:
    """Whether the section's cases are prompts that are known before it is run."""
    return section.scores_answers and len(section.cases) > 0


def accepted(case: Case) -> list[str]:
    """The answers that a case accepts, as far as they are written as texts."""
    answers = case.expect.get("answers")
    return [one for one in answers if isinstance(one, str)] if isinstance(answers, list) else []


def find_leaks(
    placed: Sequence[tuple[str, str, Case]], examples: Sequence[Trained], target: str
) -> Iterator[LeakedCase]:
    """The cases, given with their full names and suites, that stand in a target's examples."""
    asked = [
        (turn, f"{suite}/{case.group}") for _, suite, case in placed for turn in user_turns(case)
    ]
    texts = TrainingTexts(examples, asked)
    for path, _, case in placed:
        found = first_leak(texts, user_turns(case))
        if found is not None:
            kind, example = found
            yield LeakedCase(
                case=path,
                group=case.group,
                kind=kind,
                target=target,
                place=examples[example].place,
                critical=case.critical,
                answered=_is_answered(case, examples[example]),
            )


def user_turns(case: Case) -> list[str]:
    """What the user says in a case, turn by turn."""
    return [turn.content for turn in case.messages if turn.role == "user"]


def first_leak(texts: TrainingTexts, turns: Sequence[str]) -> tuple[LeakKind, int] | None:
    """The kind of the leak and the first training example that says all of the turns, or None."""
    if len(turns) == 1:
        best = min(texts.matches(turns[0]), key=_rank, default=None)
        return None if best is None else (best.kind, int(texts.examples_of(best.text)[0]))
    kinds: list[LeakKind] = []
    held = []
    for turn in turns:
        found = list(texts.matches(turn, near_too=True))
        if not found:
            return None
        kinds.append(min(found, key=_rank).kind)
        held.append(np.unique(np.concatenate([texts.examples_of(one.text) for one in found])))
    shared = reduce(np.intersect1d, held)
    return (max(kinds, key=_ORDER.index), int(shared[0])) if shared.size else None


def _rank(match: Match) -> tuple[int, int]:
    return _ORDER.index(match.kind), match.text


def _is_answered(case: Case, example: Trained) -> bool:
    said = [split_words(text) for text in example.answers if text]
    return any(
        (part := split_words(answer)) and any(contains(text, part) for text in said)
        for answer in accepted(case)
    )
