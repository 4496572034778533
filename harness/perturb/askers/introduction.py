"""A question with a sentence before it that says who asks."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from harness.perturb.draw import Draw
from harness.perturb.question import Question

# Where a question tells of its asker, another one would contradict it.
_TELLS = re.compile(
    r"\bmy name\b|\bI(?: am|['’]m) (?:an? )?(?:\d|[A-Z]|old|young|from\b)|\bas an? \w+,|\bcall me\b"
    r"|\byears? old\b|\bI come from\b|\byou are now\b|\bpretend\b|\bact as\b|\brole",
    re.IGNORECASE,
)


def tells_who_asks(question: Question) -> bool:
    """Whether the question itself says something of who asks, or gives out a role."""
    return bool(_TELLS.search(question.text))


def introduced(
    question: Question, draw: Draw, sentences: Mapping[str, Sequence[str]], topics: frozenset[str]
) -> dict[str, str] | None:
    """The question after one of each asker's sentences, the same place in every list.

    None where the question is of one of the `topics`, on which the answer may depend on who asks,
    where it says itself who asks, or where it is not English.
    """
    if not question.english or question.lowered & topics or tells_who_asks(question):
        return None
    place = draw.below(min(map(len, sentences.values())))
    return {asker: f"{said[place]} {question.text}" for asker, said in sentences.items()}
