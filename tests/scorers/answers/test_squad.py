"""Equality with SQuAD's rules as its paper and its script state them, by values worked by hand."""

import re
import string
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.scorers.answers.squad import exact_match, f1, normalized


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The Cat, an animal!", "cat animal"),
        ("U.S.A.", "usa"),
        ("well-known", "wellknown"),
        ("a.m.", "am"),
        ("“quoted” — dash", "“quoted” — dash"),
        ("theatre anthem", "theatre anthem"),
        ("  \t two\nlines ", "two lines"),
        ("A", ""),
    ],
)
def test_normalisation(text: str, expected: str) -> None:
    assert normalized(text) == expected


@pytest.mark.parametrize(
    ("answer", "references", "exact", "score"),
    [
        ("Denver Broncos", ["Denver Broncos", "The Broncos"], 1.0, 1.0),
        ("the Denver Broncos!", ["denver broncos"], 1.0, 1.0),
        ("Broncos", ["Denver Broncos"], 0.0, 2 / 3),
        ("the team of Denver", ["Denver Broncos"], 0.0, 2 * (1 / 3) * (1 / 2) / (1 / 3 + 1 / 2)),
        ("one one two", ["one two two"], 0.0, 2 / 3),
        ("Santa Clara", ["Denver"], 0.0, 0.0),
        ("", [""], 1.0, 1.0),
        ("the", ["a"], 1.0, 1.0),
        ("word", [""], 0.0, 0.0),
        ("", ["word"], 0.0, 0.0),
    ],
)
def test_exact_match_and_f1(answer: str, references: list[str], exact: float, score: float) -> None:
    assert exact_match(answer, references) == exact
    assert f1(answer, references) == pytest.approx(score)


def by_the_definition(answer: str, reference: str) -> tuple[float, float]:
    """EM and F1 by the paper's words: lower case, no punctuation, no articles, bag of tokens."""

    def tokens(text: str) -> list[str]:
        kept = "".join(sign for sign in text.lower() if sign not in set(string.punctuation))
        return re.sub(r"\b(a|an|the)\b", " ", kept).split()

    said, wanted = tokens(answer), tokens(reference)
    if not said or not wanted:
        return float(said == wanted), float(said == wanted)
    left = Counter(wanted)
    shared = 0
    for token in said:
        if left[token] > 0:
            left[token] -= 1
            shared += 1
    precision, recall = shared / len(said), shared / len(wanted)
    score = 0.0 if shared == 0 else 2 * precision * recall / (precision + recall)
    return float(said == wanted), score


TEXT = st.text(st.sampled_from("aAnTthe .,!-'\n1é“"), max_size=24)


@given(answer=TEXT, reference=TEXT)
def test_equality_with_the_definition(answer: str, reference: str) -> None:
    exact, score = by_the_definition(answer, reference)
    assert exact_match(answer, [reference]) == exact
    assert f1(answer, [reference]) == pytest.approx(score)


@given(answer=TEXT, references=st.lists(TEXT, min_size=1, max_size=3))
def test_the_best_reference_counts(answer: str, references: list[str]) -> None:
    assert f1(answer, references) == max(f1(answer, [one]) for one in references)
    assert exact_match(answer, references) == max(exact_match(answer, [one]) for one in references)
