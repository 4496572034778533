"""`reorder`: the question before what it is about, or a condition after what it governs."""

from __future__ import annotations

import re

from harness.perturb.draw import Draw
from harness.perturb.question import Question
from harness.perturb.vocabulary import words_of

_SENTENCE = re.compile(r"[^.!?]+[.!?]")
# "If I cancel, do I get a refund?": one clause, one comma, one question.
_CONDITION = re.compile(r"(If|When|After|Before|Once) ([^,.!?:;]+), ([^,.!?:;]+)\?$")
_SUBJECTS = frozenset({"i", "my", "we", "our", "the", "this", "a", "an", "there"})
# What leans on the sentence before it cannot come first.
_LEANING = words_of(
    """
    that this these those it they them he she him her his its their one ones so but and or then
    therefore also too instead otherwise however either both such there same else
    """
)


class Reorder:
    """Moves a last sentence that asks to the front, or an opening condition to the end."""

    name = "reorder"

    def perturb(self, question: Question, draw: Draw) -> str | None:
        """The question in another order; None where a part leans on what stands before it."""
        del draw
        text = question.text.strip()
        if not question.english or re.search(r"[:;\n\"“”`…]|\.\.", text):
            return None
        return _condition_last(text, question) or _question_first(text, question)


def _condition_last(text: str, question: Question) -> str | None:
    found = _CONDITION.fullmatch(text)
    if found is None:
        return None
    joined, condition, asked = found.groups()
    subject = condition.split()[0].lower()
    first = asked.split()[0].lower()
    if subject not in _SUBJECTS or first in _LEANING or " if " in f" {asked.lower()} ":
        return None
    if " and " in f" {condition} " or question.lowered & {"it", "they", "them", "that"}:
        return None
    return f"{asked[0].upper()}{asked[1:]} {joined.lower()} {condition}?"


def _question_first(text: str, question: Question) -> str | None:
    sentences = [each.strip() for each in _SENTENCE.findall(text)]
    if len(sentences) < 2 or " ".join(sentences) != text:
        return None
    *before, last = sentences
    if not last.endswith("?") or any(each.endswith("?") for each in before):
        return None
    words = {word.lower for word in question.words if text.find(last) <= word.start}
    begins = before[0].split()[0].strip(",").lower()
    if words & _LEANING or begins in _LEANING | {"hello", "hi", "hey", "dear", "good", "thanks"}:
        return None
    return " ".join([last, *before])
