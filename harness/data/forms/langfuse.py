"""Exports of Langfuse: observations of generations, their scores, and items of its data sets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from harness.data.form import Row
from harness.data.sample import Sample, asked, parsed, text_of, turns

_QUESTION = ("messages", "question", "prompt", "input", "query")
_ANSWER = ("content", "answer", "output", "text", "response")


class Langfuse:
    """Observations with `type: GENERATION`, and items with `input` and `expectedOutput`.

    A score holds no question. Those that are corrections are given before the observations, whose
    better answers they are.
    """

    name = "langfuse"
    about = "observations, scores and data-set items of Langfuse"

    def __init__(self) -> None:
        self._corrections: dict[str, str] = {}
        self._observed = False

    def matches(self, row: Row) -> bool:
        """Whether it is an observation, a score or an item."""
        if scored(row):
            return True
        item = row.keys() & {"expectedOutput", "expected_output"}
        observed = row.keys() & {"traceId", "trace_id"} and "output" in row
        return "input" in row and bool(item or observed)

    def read(self, row: Row) -> Iterator[Sample]:
        """The sample; spans and events that are no generation of a model have none."""
        if about := scored(row):
            if better := correction_of(row):
                if self._observed:
                    raise ValueError("value: corrects an answer; give the scores before the others")
                self._corrections[about] = better
            return
        if row.get("type") not in (None, "GENERATION"):
            return
        self._observed = True
        question = asked(turns(inner(row["input"], _QUESTION, "input"), "input"), "input")
        known = "expectedOutput" if "expectedOutput" in row else "expected_output"
        key = known if known in row else "output"
        lost = tuple(name for name in ("metadata", "tags") if row.get(name))
        if row.get(key) is None and known in row:
            yield Sample(question, id=_id(row), lost=lost)
            return
        answer = text_of(inner(row[key], _ANSWER, key), key)
        better = next((self._corrections[one] for one in ids(row) if one in self._corrections), "")
        rejected = answer if better else None
        yield Sample(question, (better or answer,), rejected=rejected, id=_id(row), lost=lost)


def scored(row: Row) -> str:
    """The id of the observation or trace that a score is about; empty where the row is no score."""
    if "value" not in row or row.keys() & {"input", "output"}:
        return ""
    subject = parsed(row.get("subject"))
    if isinstance(subject, Mapping):  # of the third version of its interface
        return str(subject.get("id") or "") if "dataType" in row or "data_type" in row else ""
    keys = ("observationId", "observation_id", "traceId", "trace_id")
    return next((str(row[key]) for key in keys if row.get(key)), "")


def correction_of(score: Row) -> str:
    """The better answer that a score holds; empty where it is another kind of score."""
    kind = score.get("dataType") or score.get("data_type")
    return str(score["value"]) if kind == "CORRECTION" and score["value"] else ""


def ids(row: Row) -> tuple[str, ...]:
    """The ids of an observation and of its trace, by which scores know it."""
    given = (row.get("id"), row.get("traceId") or row.get("trace_id"))
    return tuple(str(one) for one in given if one)


def _id(row: Row) -> str | None:
    return str(row["id"]) if row.get("id") else None


def inner(value: Any, keys: tuple[str, ...], where: str) -> Any:
    """What is in an object under the one of the keys that it has; anything else as it is.

    Raises:
        ValueError: an object with none of the keys.
    """
    value = parsed(value)
    if not isinstance(value, Mapping):
        if isinstance(value, str) and value.startswith(('{"', "{'", '[{"', "[{'")):
            raise ValueError(f"{where}: begins as an object does, and is none: it may be cut off")
        return value
    found = [key for key in keys if value.get(key) is not None]
    if not found:
        raise ValueError(f"{where}: has none of {', '.join(keys)}")
    return value[found[0]]
