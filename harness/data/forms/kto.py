"""Answers that are marked as good or bad, as TRL's KTO has them."""

from __future__ import annotations

from collections.abc import Iterator

from harness.data.form import Row
from harness.data.forms.prompt_completion import completion
from harness.data.sample import Sample, asked, leftover, turns


class Kto:
    """`{"prompt", "completion", "label"}`: where the label is false the answer is a bad one."""

    name = "kto"
    about = "`prompt`, `completion` and a `label`, as TRL's KTO has them"

    def matches(self, row: Row) -> bool:
        """Whether it has the three."""
        return {"prompt", "completion", "label"} <= row.keys()

    def read(self, row: Row) -> Iterator[Sample]:
        """The sample of a good answer."""
        if row["label"] not in (True, False):
            raise ValueError("label: must be true or false")
        if not row["label"]:
            raise ValueError("label: is false, and there is no good answer beside it")
        yield Sample(
            asked(turns(row["prompt"], "prompt"), "prompt"),
            (completion(row["completion"], "completion"),),
            lost=leftover(row, ("prompt", "completion", "label")),
        )
