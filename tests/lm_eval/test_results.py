"""Documents become cases that are the same in every run, with both sides' numbers in words."""

from __future__ import annotations

from typing import Any

from harness.lm_eval.results import Document, TaskResult, cases_of, scored
from harness.records.metric import Metric
from harness.records.suite import Message

ACC, NORM = Metric(name="acc"), Metric(name="acc_norm")


def document(content: str = "aa", **more: Any) -> Document:
    return Document(
        hash=content * 20, messages=(Message(role="user", content="Q"),), target="b", **more
    )


def result(*documents: Document) -> TaskResult:
    return TaskResult(task="t", version="1", lm_eval="0", judge="j", documents=documents)


def test_equal_documents_are_told_apart_by_their_order() -> None:
    cases = [case for case, _ in cases_of(result(document(), document("bb"), document()))]
    assert [case.id for case in cases] == [
        "t/aaaaaaaaaaaaaaaa", "t/bbbbbbbbbbbbbbbb", "t/aaaaaaaaaaaaaaaa-2",
    ]  # fmt: skip
    assert [case.group for case in cases] == [case.id for case in cases]
    assert {case.tags for case in cases} == {("t",)}


def test_choices_are_shown_with_their_log_likelihoods() -> None:
    one = document(
        group="g", choices=(" a", " b"), loglikelihoods=(-1.5, -0.25),
        values={"acc": (1.0, 1.0), "acc_norm": (0.0, 1.0)},
    )  # fmt: skip
    ((case, _),) = cases_of(result(one))
    assert (case.group, case.expect) == ("g", {"target": "b", "choices": ["a", "b"]})
    found = scored(case, one, (ACC, NORM), "j")
    assert found.text == "a: -1.5000 nats\n» b: -0.2500 nats"
    assert (found.value, found.passed, found.judge) == (1.0, True, "j")
    assert found.terms is not None
    assert found.terms["acc_norm"].num == 0.0


def test_a_document_without_a_value_is_unscored() -> None:
    one = document(answers=("x",), filtered={"strict": "[invalid]"})
    ((case, _),) = cases_of(result(one))
    found = scored(case, one, (ACC,), "j")
    assert (found.value, found.reason, found.text) == (None, "lm-eval gives it no value", "x")


def test_lm_evals_error_stands_beside_its_value() -> None:
    told = result(document()).model_copy(update={"results": {"acc": 0.5}, "errors": {"acc": 0.25}})
    assert told.line() == "t (version 1, 1 documents): acc 0.5000 ± 0.2500"
