"""Data sets and logs of Inspect."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from harness.data.form import Row
from harness.data.sample import Sample, asked, leftover, messages_of, text_of, texts_of, turns

# What a log adds to a sample: what a model did with it, which is no part of the question.
_OF_A_RUN = (
    "messages", "output", "scores", "events", "events_data", "model_usage", "role_usage",
    "attachments", "store", "epoch", "uuid", "total_time", "working_time", "started_at",
    "completed_at", "error_retries", "turn_count", "",
)  # fmt: skip


class Inspect:
    """`{"input", "target", "choices", "id", "metadata"}`; the samples of a log are alike."""

    name = "inspect"
    about = "data sets and JSON logs of Inspect"

    def matches(self, row: Row) -> bool:
        """Whether it has an input and a target."""
        return {"input", "target"} <= row.keys()

    def read(self, row: Row) -> Iterator[Sample]:
        """The sample; choices become part of the question, as letters."""
        question = asked(turns(row["input"], "input"), "input")
        answers = texts_of(row["target"], "target")
        if row.get("choices"):
            choices = texts_of(row["choices"], "choices")
            listed = "\n".join(f"{chr(65 + at)}) {choice}" for at, choice in enumerate(choices))
            last = question[-1]
            text = f"{last.content}\n{listed}"
            question = (*question[:-1], last.model_copy(update={"content": text}))
            known = {chr(65 + at): choice for at, choice in enumerate(choices)}
            if not set(answers) <= known.keys():
                raise ValueError("target: must be a letter of the choices")
        given, metadata = row.get("id"), row.get("metadata") or {}
        yield Sample(
            question,
            answers,
            id=None if given is None else text_of(str(given), "id"),
            group=group_of(metadata),
            lost=(
                *leftover(row, ("input", "target", "choices", "id", "metadata", *_OF_A_RUN)),
                *(f"metadata.{key}" for key in leftover(metadata, ("group",))),
            ),
        )

    def write(self, sample: Sample) -> dict[str, Any]:
        """The row of a data set."""
        if not sample.answers:
            raise ValueError("has no answers that a `target` can hold")
        alone = len(sample.messages) == 1
        row: dict[str, Any] = {
            "input": sample.question if alone else messages_of(sample.messages),
            "target": list(sample.answers) if len(sample.answers) > 1 else sample.answers[0],
        }
        row |= {"id": sample.id} if sample.id else {}
        return row | ({"metadata": {"group": sample.group}} if sample.group else {})


def group_of(metadata: Mapping[str, Any]) -> str | None:
    """The group that an export has put into a row's metadata."""
    return str(metadata["group"]) if metadata.get("group") else None
