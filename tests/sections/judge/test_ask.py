"""What judges are asked about an answer, and who counts as kin."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from harness.records.attempt import Attempt
from harness.records.suite import Case
from harness.records.target import Identity
from harness.sections.judge.ask import _shares_base, _weights, questions
from tests.sections.judge.test_result import attempt

MANAGED = SimpleNamespace(servers={"main": None}, url=None)


def identity(**given: Any) -> Identity:
    return Identity(**{"server": "http://one", "server_version": "1", "model": "m", **given})


@pytest.mark.parametrize(
    ("judge", "side", "proof", "kin"),
    [
        ({"weights": "w"}, {"weights": "w", "adapter": "a"}, None, True),
        ({"weights": "w"}, {"weights": "v"}, None, False),
        ({"model": "base"}, {"model": "lora"}, "base", True),
        ({"model": "base"}, {"model": "lora"}, "other", False),
        ({"model": "base", "server": "http://two"}, {"model": "lora"}, "base", False),
    ],
)
def test_a_judge_shares_its_base_by_files_or_by_what_a_server_lists(
    judge: dict[str, Any], side: dict[str, Any], proof: str | None, kin: bool
) -> None:
    shown = None if proof is None else SimpleNamespace(parent=proof)
    job: Any = SimpleNamespace(run=SimpleNamespace(identity=identity(**side), adapter_proof=shown))
    assert _shares_base(identity(**judge), job) is kin


def test_a_model_is_told_by_its_files_wherever_it_is_served() -> None:
    here, there = (identity(weights="w", server=name) for name in ("a", "b"))
    assert _weights(here) == _weights(there) != _weights(identity(weights="w", adapter="x"))
    assert _weights(identity()) != _weights(identity(server="http://two"))


def asked(rival: Attempt | None = None, **case: Any) -> list[Any]:
    rubric = SimpleNamespace(scale=None, criterion="c", model_dump=lambda **_: {})
    section = SimpleNamespace(
        asks=("a", "b"), judge_repeats=2, structured="choice", against_baseline=rival is not None,
        rubric=rubric, verdicts=("pass", "fail"),
    )  # fmt: skip
    job: Any = SimpleNamespace(section=section, suite=SimpleNamespace(domain="A shop"))
    one = Case.model_validate({"id": "c", "prompt": "Hi", **case})
    return list(questions(SimpleNamespace(), 3, (job, one, 1), attempt(), rival))  # type: ignore[arg-type]


def test_every_judge_is_asked_as_often_as_the_section_says() -> None:
    found = asked()
    assert [(each.judge, each.request.repeat) for each in found] == [
        ("a", 2), ("a", 3), ("b", 2), ("b", 3),
    ]  # fmt: skip
    assert {each.place for each in found} == {3}
    assert found[0].request.sampling == {"structured_outputs": {"choice": ["pass", "fail"]}}
    assert "reference" not in found[0].request.messages[1].content


def test_a_reference_answer_is_shown() -> None:
    shown = asked(expect={"reference": "Say hello."})[0].request.messages[1].content
    assert "=== reference answer " in shown
    assert "Say hello." in shown


def test_a_pair_is_shown_both_ways_round_unless_it_is_the_same_text() -> None:
    found = asked(attempt("Other."))
    assert [each.swapped for each in found] == [False, False, True, True] * 2
    texts = [each.request.messages[1].content for each in found]
    assert texts[0].index("Hello.") < texts[0].index("Other.")
    assert texts[2].index("Hello.") > texts[2].index("Other.")
    assert asked(attempt("Hello.")) == asked(attempt("")) == []
