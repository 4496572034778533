"""A question in each of several forms."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.perturb.draw import Draw
from harness.perturb.question import Question
from harness.perturb.registry import perturbations


def variants(
    question: Question, names: Sequence[str], seed: int, key: str
) -> Iterator[tuple[str, str]]:
    """The name of each form that changes the question, with the question in it; always the same.

    `key` tells questions apart in the draws. A question about a text's own form has none, nor has
    one that would bring in a word of its own answers.
    """
    for name in () if question.about_form else names:
        text = perturbations().get(name).perturb(question, Draw(seed, key, name))
        if text is not None and text != question.text and not question.tells(text):
            yield name, text
