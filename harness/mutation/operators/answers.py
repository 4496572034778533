"""Training on wrong answers."""

from __future__ import annotations

import random
from collections.abc import Iterator

from harness.mutation.operator import Mutant, NotMade, Original
from harness.mutation.training_data import answered, data_of, refuses, trained
from harness.training.data_files import Conversation


class Answers:
    """Swaps answers between questions, and refuses everything."""

    name, trains = "answers", True

    def mutants(self, original: Original) -> Iterator[Mutant]:
        """Two mutants.

        Raises:
            NotMade: it is not known how the candidate was trained, or there is too little to swap.
        """
        rows = [row for found in data_of(original).values() for row in found]
        yield trained(
            original, "swapped-answers", "trained on the answers to other questions",
            swapped(rows, original.seed),
        )  # fmt: skip
        refusal = next((row.messages[-1].content for row in rows if refuses(row)), None)
        if refusal is not None:
            yield trained(
                original, "refuses-everything", "trained to refuse every question",
                [answered(row, refusal) for row in rows],
            )  # fmt: skip


def swapped(rows: list[Conversation], seed: int) -> list[Conversation]:
    """The conversations, each group that is no refusal with the answers of another.

    Raises:
        NotMade: there are fewer than two such groups.
    """
    answers: dict[str, str] = {}
    for row in rows:
        if not refuses(row):
            answers.setdefault(row.group, row.messages[-1].content)
    names = list(answers)
    if len(set(answers.values())) < 2:
        raise NotMade("its training data has too few answers to swap")
    random.Random(seed).shuffle(names)  # noqa: S311 - reproducible, not secret
    others = dict(zip(names, (*names[1:], names[0]), strict=True))
    return [
        answered(row, answers[others[row.group]]) if row.group in others else row for row in rows
    ]
