"""Argilla's records: `fields`, `metadata` and `responses` by question, or the same made flat."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from harness.review.label_form import Row

_MARK = ".responses"


class Argilla:
    """A record a row, with the responses of all users to each question."""

    name = "argilla"
    rater = "user"

    def matches(self, row: Row) -> bool:
        """Whether it has responses, nested or made flat."""
        nested = isinstance(row.get("fields"), Mapping) and isinstance(
            row.get("responses"), Mapping
        )
        return nested or any(key.endswith(_MARK) for key in row)

    def read(self, row: Row) -> Iterator[Row]:
        """Fields and metadata, and each question's value under its name, for each user."""
        about, responses = _nested(row) if "fields" in row else _flat(row)
        said: dict[Any, dict[str, Any]] = {}
        for question, user, value, status in responses:
            if status not in ("submitted", None):  # a draft, or discarded
                continue
            own = said.setdefault(user, {})
            if own.setdefault(question, value) != value:
                raise ValueError(f"{question}: two responses by `{user}`")
        for user, own in said.items():
            yield {**about, **own, "user": user}


_Responses = list[tuple[str, Any, Any, Any]]  # question, user, value and status


def _nested(row: Row) -> tuple[Row, _Responses]:
    return {**row["fields"], **(row.get("metadata") or {})}, [
        (question, one["user_id"], one["value"], one.get("status"))
        for question, given in row["responses"].items()
        for one in given
    ]


def _flat(row: Row) -> tuple[Row, _Responses]:
    found: _Responses = []
    questions = [key.removesuffix(_MARK) for key in row if key.endswith(_MARK)]
    for question in questions:
        values = row[f"{question}{_MARK}"] or ()
        users = row.get(f"{question}{_MARK}.users") or ()
        status = row.get(f"{question}{_MARK}.status") or (None,) * len(values)
        if not len(values) == len(users) == len(status):
            raise ValueError(f"{question}{_MARK}: {len(values)} values of {len(users)} users")
        found += zip((question,) * len(values), users, values, status, strict=True)
    return {key.removeprefix("metadata."): value for key, value in row.items()}, found
