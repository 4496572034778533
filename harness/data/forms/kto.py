"""Answers that are marked as good or bad, as TRL's KTO has them."""

from __future__ import annotations

from collections.abc import Iterator

from harness.data.form import Row
from harness.data.forms.prompt_completion import completion
from harness.data.sample import Sample, asked, leftover, turns


def labelled(row: Row) -> bool | None:
    """A row's label, which a table holds as text; None where there is none."""
    given = row.get("label")
    if isinstance(given, str):
        return {"true": True, "false": False}.get(given.strip().casefold())
    return bool(given) if given in (True, False) else None


class Kto:
    """`{"prompt", "completion", "label"}`: where the label is false the answer is a bad one."""

    name = "kto"
    about = "`prompt`, `completion` and a `label`, as TRL's KTO has them"

    def matches(self, row: Row) -> bool:
        """Whether it has the three."""
        return {"prompt", "completion", "label"} <= row.keys()

    def read(self, row: Row) -> Iterator[Sample]:
        """The sample of a good answer."""
        label = labelled(row)
        if label is None:
            raise ValueError("label: must be true or false")
        if not label:
            raise ValueError("label: is false, and there is no good answer beside it")
        yield Sample(
            asked(turns(row["prompt"], "prompt"), "prompt"),
            (completion(row["completion"], "completion"),),
            lost=leftover(row, ("prompt", "completion", "label")),
        )
