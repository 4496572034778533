"""Samples that lm-eval logs (`--log_samples`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from harness.data.form import Row
from harness.data.sample import Sample, asked, parsed, text_of, texts_of, turns

_KEYS = ("doc_id", "doc", "target", "arguments")


class LMEval:
    """`{"doc_id", "doc", "target", "arguments", "resps", …}` of a task that generates."""

    name = "lm-eval"
    about = "samples that lm-eval has logged"

    def matches(self, row: Row) -> bool:
        """Whether it has a document and the arguments of its requests."""
        return {"doc_id", "doc", "arguments"} <= row.keys()

    def read(self, row: Row) -> Iterator[Sample]:
        """The sample of the prompt as the model got it, few-shot examples included."""
        prompt, settings = _arguments(row["arguments"])
        if not isinstance(settings, Mapping):
            raise ValueError("arguments: of a task that compares log-likelihoods, not of questions")
        chat = parsed(prompt)
        question = asked(turns(chat if isinstance(chat, list) else prompt, "arguments"))
        target = row.get("target")
        answers = (
            texts_of(target, "target") if isinstance(target, list)
            else (text_of(None if target is None else str(target), "target"),)
        )  # fmt: skip
        yield Sample(question, answers, id=f"doc-{row['doc_id']}")

    def write(self, sample: Sample) -> dict[str, Any]:
        """The document of a task with `doc_to_text: question` and `doc_to_target: answer`."""
        if not sample.answers:
            raise ValueError("has no answers that a `target` can hold")
        if len(sample.messages) > 1:
            raise ValueError("has several turns, and a document has one question")
        return {"question": sample.question, "answer": sample.answers[0]}


def _arguments(given: Any) -> tuple[Any, Any]:
    """The prompt and the settings of the first request, in either of lm-eval's forms."""
    first = (
        next(iter(given.values()), None) if isinstance(given, Mapping)
        else given[0] if isinstance(given, list) and given else None
    )  # fmt: skip
    pair = list(first.values()) if isinstance(first, Mapping) else first
    if not isinstance(pair, list | tuple) or len(pair) < 2:
        raise ValueError("arguments: must hold a prompt and its settings")
    return pair[0], pair[1]
