"""Which column of a file of labels says what."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from harness.errors import UsageError
from harness.validation import nearest

FIELDS = (
    "item", "rater", "answer", "left", "right", "criterion", "value", "reason", "comment",
    "time", "again",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns by field, and by criterion where a criterion has a column of its own."""

    fields: Mapping[str, str]
    criteria: Mapping[str, str]

    def text(self, row: Mapping[str, Any], name: str) -> str:
        """What a row says in a field; empty where it says nothing."""
        return _text(row.get(self.fields.get(name, "")))

    def said(self, row: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
        """Criterion, value and reason of each reply; the criterion is empty where it is the one."""
        if not self.criteria:
            value = _reply(row.get(self.fields.get("value", "")))
            reason = self.text(row, "reason")
            if value or reason:
                yield self.text(row, "criterion"), value, reason
        for criterion, column in self.criteria.items():
            value = _reply(row.get(column))
            if value:
                yield criterion, value, self.text(row, "reason")


def columns_of(
    given: Mapping[str, str],
    criteria: Collection[str],
    columns: Collection[str],
    where: str,
    *,
    rater: str,
    pairs: bool,
) -> Columns:
    """The columns of a file that has `columns`: those `given`, and others by the fields' names.

    Raises:
        UsageError: a name is no field or criterion, a column is not there, or one is needed.
    """
    listed = ", ".join(f"`{one}`" for one in list(columns)[:12])
    for name, column in given.items():
        if name not in FIELDS and name not in criteria:
            near = nearest(name, (*FIELDS, *criteria))
            raise UsageError(f"no field or criterion `{name}`{near}", where="--map")
        if column not in columns:
            raise UsageError(f"has no column `{column}`; there is {listed}", where=where)
    usual = {name: rater if name == "rater" else name for name in FIELDS}
    fields = {name: column for name, column in usual.items() if column in columns}
    fields |= {name: column for name, column in given.items() if name in FIELDS}
    own = {name: column for name, column in given.items() if name not in FIELDS}
    if not own and "value" not in fields:
        own = {name: name for name in sorted(criteria) if name in columns}
    needed = ["item", "rater", *(("left", "right") if pairs else ("answer",))]
    if not own:
        needed += ["value", *(("criterion",) if len(criteria) > 1 else ())]
    for name in needed:
        if name not in fields:
            raise UsageError(
                f"has no column `{usual[name]}`; there is {listed}",
                where=where,
                hint=f"say which one it is: `--map {name}=COLUMN`",
            )
    return Columns(fields, own)


def _reply(given: Any) -> str:
    """The reply in a cell, which Label Studio's tables write as `[{"rating": 4}]`, or as its text.

    A list of several is left as it is: it is no reply to one question.
    """
    found = given
    if isinstance(given, str) and given.startswith("[{"):
        try:
            found = json.loads(given)
        except (ValueError, RecursionError):
            return _text(given)
    match found:
        case [{**one}] if len(one) == 1:
            return _text(next(iter(one.values())))
    return _text(given)


def _text(given: Any) -> str:
    if isinstance(given, bool):
        return str(int(given))
    return "" if given is None else str(given).strip()
