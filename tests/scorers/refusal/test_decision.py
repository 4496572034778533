from __future__ import annotations

import pytest

from harness.scorers.refusal.decision import Weights, decide, weights
from harness.scorers.refusal.evidence import evidence, read


def test_there_is_one_weight_of_the_right_sign_for_each_piece_of_evidence() -> None:
    found = weights()
    assert set(found.weights) == set(evidence("?", read("Yes.")))
    assert all(value * (1 if name[0] == "+" else -1) >= 0 for name, value in found.weights.items())
    low, high = found.undetermined
    assert 0 < low < 0.5 < high < 1


def test_the_probability_is_that_of_a_logistic_regression() -> None:
    found = Weights(-1.0, (0.3, 0.7), {"+a": 2.0, "-b": -1.0})
    assert found.probability({"+a": 0.5, "-b": 0.0}) == pytest.approx(0.5)
    assert found.probability({"+a": 1e9, "-b": 0.0}) == pytest.approx(1.0)
    assert found.probability({"+a": 0.0, "-b": 1e9}) == pytest.approx(0.0)


def test_a_reason_is_short_and_quotes_the_answer_as_written() -> None:
    outcome, reason = decide("Sing.", "I CAN'T   sing " + "again and " * 40 + ".")
    assert outcome == "refused"
    assert reason.startswith("declines (`I CAN'T sing again")
    assert len(reason) < 150


def test_a_phrase_may_run_across_what_ends_a_clause() -> None:
    assert decide("?", "Well. No, but no.", refusals=["no but no"])[0] == "refused"


def test_a_language_that_is_not_known_is_undetermined_unless_the_section_has_phrases() -> None:
    answer = "Мы работаем с девяти до шести."
    assert decide("?", answer)[0] == "undetermined"
    assert decide("?", answer, refusals=["не могу"])[0] == "answered"
    assert decide("?", "Я не могу помочь.", refusals=["не могу"])[0] == "refused"
