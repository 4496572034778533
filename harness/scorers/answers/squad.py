"""Exact match and token F1 exactly as SQuAD's evaluation script computes them."""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Iterable

_ARTICLES = re.compile(r"\b(a|an|the)\b", re.UNICODE)
_PUNCTUATION = str.maketrans("", "", string.punctuation)


def normalized(text: str) -> str:
    """The text in lower case without ASCII punctuation and English articles, spaces evened out.

    Source: `normalize_answer` of the SQuAD 2.0 evaluation script (Rajpurkar et al. 2018).
    """
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def exact_match(answer: str, references: Iterable[str]) -> float:
    """1 where the answer equals one of the references after normalisation, else 0."""
    said = normalized(answer)
    return float(any(said == normalized(reference) for reference in references))


def f1(answer: str, references: Iterable[str]) -> float:
    """The best F1 in [0, 1] of the answer's words with those of one reference."""
    said = normalized(answer).split()
    return max(_f1(said, normalized(reference).split()) for reference in references)


def _f1(said: list[str], reference: list[str]) -> float:
    if not said or not reference:
        return float(said == reference)
    common = sum((Counter(said) & Counter(reference)).values())
    if not common:
        return 0.0
    precision, recall = common / len(said), common / len(reference)
    return 2 * precision * recall / (precision + recall)
