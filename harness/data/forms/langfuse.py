"""Exports of Langfuse: observations of generations, and items of its data sets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from harness.data.form import Row
from harness.data.sample import Sample, asked, parsed, text_of, turns

_QUESTION = ("messages", "question", "prompt", "input", "query")
_ANSWER = ("content", "answer", "output", "text", "response")


class Langfuse:
    """Observations with `type: GENERATION`, and items with `input` and `expectedOutput`."""

    name = "langfuse"
    about = "observations and data-set items of Langfuse"

    def matches(self, row: Row) -> bool:
        """Whether it is an observation or an item."""
        item = row.keys() & {"expectedOutput", "expected_output"}
        observed = row.keys() & {"traceId", "trace_id"} and "output" in row
        return "input" in row and bool(item or observed)

    def read(self, row: Row) -> Iterator[Sample]:
        """The sample; spans and events that are no generation of a model have none."""
        if row.get("type") not in (None, "GENERATION"):
            return
        question = asked(turns(inner(row["input"], _QUESTION, "input"), "input"), "input")
        known = "expectedOutput" if "expectedOutput" in row else "expected_output"
        key = known if known in row else "output"
        if row.get(key) is None and known in row:
            yield Sample(question, id=_id(row))
            return
        yield Sample(question, (text_of(inner(row[key], _ANSWER, key), key),), id=_id(row))


def _id(row: Row) -> str | None:
    return str(row["id"]) if row.get("id") else None


def inner(value: Any, keys: tuple[str, ...], where: str) -> Any:
    """What is in an object under the one of the keys that it has; anything else as it is.

    Raises:
        ValueError: an object with none of the keys.
    """
    value = parsed(value)
    if not isinstance(value, Mapping):
        return value
    found = [key for key in keys if key in value]
    if not found:
        raise ValueError(f"{where}: has none of {', '.join(keys)}")
    return value[found[0]]
