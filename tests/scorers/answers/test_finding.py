from typing import Any

from harness.scorers.answers.expect import GoldExpect
from harness.scorers.answers.finding import Finding, find


def found(answer: str, **expect: Any) -> Finding:
    return find(answer, "", GoldExpect.model_validate(expect))


def test_any_of_the_answers_and_all_that_are_needed() -> None:
    assert found("Tea and milk.", answers=["tea"], all_of=["milk"]) == Finding(
        True, "has matches `tea` (contains), `milk`"
    )
    assert found("Tea.", all_of=["tea", "milk"]) == Finding(
        False, "lacks `milk` of all that it needs"
    )


def test_what_makes_it_wrong() -> None:
    expect = {"answers": ["tea"], "not": ["milk"]}
    assert found("Tea with milk.", **expect).passed is False
    assert found("Tea, not milk.", **expect).passed is True


def test_one_of_values_that_exclude_each_other() -> None:
    expect = {"answers": ["tea"], "only": ["tea", "milk"]}
    assert found("Milk.", **expect).passed is False
    assert found("Tea or milk.", **expect).passed is None
