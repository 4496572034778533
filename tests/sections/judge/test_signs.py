"""What is said of a judge from the terms that its scores carry."""

from __future__ import annotations

import numpy as np
import pytest

from harness.records.attempt import Attempt, Score, Term
from harness.sections.judge.signs import (
    FIRSTS,
    KIN,
    NOISE,
    ORDER,
    Scored,
    kin_term,
    signs_of,
    terms_of_tie,
)

COUNT = 20


def side(
    values: list[float], texts: list[str] | None = None, terms: dict[str, Term] | None = None
) -> Scored:
    return [
        (
            Score(
                key=f"k{n}", suite="s", section="x", case=f"c{n}", repeat=0, group=f"c{n}",
                critical=False, status="scored", state="ok", value=value, terms=terms or {},
            ),
            Attempt(
                key=f"k{n}", suite="s", section="x", case=f"c{n}", repeat=0, status="answered",
                text=(texts or ["x"] * COUNT)[n], finish_reason="stop",
            ),
        )
        for n, value in enumerate(values)
    ]  # fmt: skip


def said(ours: Scored, theirs: Scored, *, pairwise: bool = False) -> dict[str, str]:
    return dict(signs_of(ours, theirs, ("j",), pairwise=pairwise))


VARIED = [float(n % 5) for n in range(COUNT)]


def test_nothing_is_said_of_a_judge_without_a_pattern() -> None:
    assert said(side(VARIED), side(VARIED)) == {}


def test_one_verdict_for_all_answers_cannot_be_trusted() -> None:
    found = said(side([3.0] * COUNT), side([3.0] * COUNT))
    assert list(found) == [""]
    assert "all 40 answers of both sides alike (3)" in found[""]
    assert said(side([3.0] * COUNT), side([2.0] * COUNT)) == {}
    assert said(side([3.0] * 4), side([3.0] * 4)) == {}


@pytest.mark.parametrize(("turned", "how"), [(1.0, "by the order"), (0.0, "as ties")])
def test_a_tie_in_every_pair_cannot_be_trusted(turned: float, how: str) -> None:
    terms = {ORDER: Term(num=turned, den=1.0), FIRSTS: Term(num=2 * turned, den=2 * turned)}
    ties = side([0.5] * COUNT, terms=terms)
    found = said(ties, side([0.5] * COUNT), pairwise=True)
    assert f"judged all {COUNT} pairs {how}" in found[""]


def test_the_noise_and_the_kin_of_a_judge_are_told_by_side() -> None:
    noisy = {NOISE: Term(num=1.0, den=3.0), KIN: kin_term(kin=True)}
    found = said(side(VARIED, terms=noisy), side(VARIED, terms={KIN: kin_term(kin=False)}))
    assert "the judge `j` is the candidate or has its base" in found["judge-kin"]
    assert found["judge-noise"].endswith("another verdict in 20 of 60 (33 %)")


def test_scores_that_go_with_length_are_told() -> None:
    rng = np.random.default_rng(1)
    longer = ["word " * int(1 + value + 2 * rng.random()) for value in VARIED]
    found = said(side(VARIED, longer), side(VARIED))
    assert found["judge-length"].startswith("the verdicts of the judge `j` go with the length")
    assert "(candidate)" in found["judge-length"]
    assert "(baseline)" not in found["judge-length"]


def test_a_longer_answer_that_always_wins_is_told() -> None:
    terms = {ORDER: Term(num=0.0, den=1.0), FIRSTS: Term(num=1.0, den=2.0)}
    ours = side([1.0] * COUNT, ["a longer one"] * COUNT, terms)
    found = said(ours, side([0.5] * COUNT, ["short"] * COUNT), pairwise=True)
    assert (
        found["judge-length"] == "the longer answer won 20 of 20 (100 %) decisions of the judge `j`"
    )
    assert "0 of 20 (0 %) comparisons" in found["judge-order"]
    assert "shown first in 20 of 40 (50 %)" in found["judge-order"]


def test_a_tie_that_nobody_judged_counts_for_nothing_but_the_metric() -> None:
    terms = terms_of_tie("win_rate", kin=None)
    assert terms.pop("win_rate") == Term(num=0.5, den=1.0)
    assert {term.den for term in terms.values()} == {0.0}
    assert terms_of_tie("win_rate", kin=True)[KIN] == kin_term(kin=True)
