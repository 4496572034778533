"""Label Studio's JSON: tasks with `data`, and `annotations` with a `result` each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from harness.review.label_form import Row


class LabelStudio:
    """A task a row; its exports JSON_MIN and CSV are tables with the same columns."""

    name = "label-studio"
    rater = "annotator"

    def matches(self, row: Row) -> bool:
        """Whether it has a task's data and annotations."""
        return isinstance(row.get("data"), Mapping) and isinstance(row.get("annotations"), list)

    def read(self, row: Row) -> Iterator[Row]:
        """The data, and each control's value under its name; skipped tasks say nothing."""
        for at, annotation in enumerate(row["annotations"]):
            if annotation.get("was_cancelled"):
                continue
            found = dict(row["data"])
            for region in annotation.get("result", ()):
                found[region["from_name"]] = _value(region, f"annotations[{at}]")
            time = annotation.get("updated_at") or annotation.get("created_at")
            yield (
                found
                | {"annotator": _who(annotation.get("completed_by"))}
                | ({"time": time} if time else {})
            )


def _value(region: Row, where: str) -> Any:
    values = list(region["value"].values())
    found = values[0] if len(values) == 1 else values
    if isinstance(found, list):
        if len(found) != 1:
            raise ValueError(f"{where}: `{region['from_name']}` has {len(found)} values, not one")
        return found[0]
    return found


def _who(given: Any) -> Any:
    """A person's mail address, or the number where the export has no more."""
    return given.get("email", given.get("id")) if isinstance(given, Mapping) else given
