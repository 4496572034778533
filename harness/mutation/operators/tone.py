"""Training on answers without courtesy."""

from __future__ import annotations

import re
from collections.abc import Iterator

from harness.mutation.operator import Mutant, Original
from harness.mutation.training_data import answered, data_of, trained

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
_COURTESY = re.compile(
    r"(?i)\b(?:i(?:'| a)m )?(?:so |very |really )?(?:sorry|thanks?(?: you)?|please|kindly|glad|"
    r"happy|welcome|delighted|apologi[sz]e)\b[,!]?\s*"
)


class Tone:
    """Takes courtesy out of the training answers."""

    name, trains = "tone", True

    def mutants(self, original: Original) -> Iterator[Mutant]:
        """One mutant.

        Raises:
            NotMade: it is not known how the candidate was trained.
        """
        rows = [
            answered(row, curt(row.messages[-1].content))
            for found in data_of(original).values()
            for row in found
        ]
        yield trained(original, "curt", "trained on answers without courtesy", rows)


def curt(answer: str) -> str:
    """The first sentence of an answer, without words of courtesy and in small letters."""
    first = _SENTENCE_END.split(answer.strip())[0]
    return _COURTESY.sub("", first).strip().lower() or answer.strip().lower()
