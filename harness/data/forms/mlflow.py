"""Traces of MLflow, and records of its evaluation data sets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from harness.data.form import Row
from harness.data.forms.langfuse import inner
from harness.data.forms.openai_batch import answer_of
from harness.data.sample import Sample, asked, leftover, parsed, text_of, texts_of, turns

_QUESTION = ("messages", "question", "prompt", "input", "query")
_ANSWER = ("expected_response", "response", "answer", "output", "content", "text")


class MLflow:
    """`{"data": {"spans"}}` of a trace, or `{"inputs", "expectations", "outputs"}`."""

    name = "mlflow"
    about = "traces and evaluation records of MLflow"

    def matches(self, row: Row) -> bool:
        """Whether it has spans, or inputs."""
        return _spans(row) is not None or (
            "inputs" in row and bool(row.keys() & {"expectations", "outputs"})
        )

    def read(self, row: Row) -> Iterator[Sample]:
        """The sample of the trace's root span, or of the record."""
        spans = _spans(row)
        given, said = row.get("inputs"), row.get("outputs")
        expected = parsed(row.get("expectations")) or {}
        if spans is not None:
            given, said = _root(spans)
        question = asked(turns(inner(given, _QUESTION, "inputs"), "inputs"), "inputs")
        used = next((key for key in ("expected_facts", *_ANSWER) if expected.get(key)), "")
        lost = [f"expectations.{key}" for key in leftover(expected, (used,))]
        lost += ["tags"] * any(
            not key.startswith("mlflow.") for key in parsed(row.get("tags")) or ()
        )
        if used == "expected_facts":
            facts = texts_of(expected[used], used)
            yield Sample(question, expect={"all_of": list(facts)}, lost=tuple(lost))
            return
        yield Sample(question, (_answer(expected or said),), lost=tuple(lost))


def _answer(value: Any) -> str:
    value = parsed(value)
    if isinstance(value, Mapping) and "choices" in value:
        return answer_of(value, "outputs")
    return text_of(inner(value, _ANSWER, "outputs"), "outputs")


def _spans(row: Row) -> list[Any] | None:
    # A table of traces, saved as CSV, has each as JSON in a column; its spans are no JSON there.
    whole = parsed(row.get("trace"))
    data = parsed((whole if isinstance(whole, Mapping) else row).get("data"))
    found = data.get("spans") if isinstance(data, Mapping) else parsed(row.get("spans"))
    return found if isinstance(found, list) else None


def _root(spans: list[Any]) -> tuple[Any, Any]:
    """The inputs and outputs of the span that has no parent."""
    for span in spans:
        if isinstance(span, Mapping) and not (span.get("parent_span_id") or span.get("parent_id")):
            attributes = span.get("attributes") or {}
            return (
                attributes.get("mlflow.spanInputs", span.get("inputs")),
                attributes.get("mlflow.spanOutputs", span.get("outputs")),
            )
    raise ValueError("spans: there is no root")
