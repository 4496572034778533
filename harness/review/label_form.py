"""What labelling tools export, as rows of a table: their Protocol and their registry."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Protocol

from harness.plugins import PluginRegistry

ENTRY_POINT_GROUP = "harness.label_forms"
Row = Mapping[str, Any]


class LabelForm(Protocol):
    """One way in which a tool nests what people said of an item."""

    @property
    def name(self) -> str:
        """The tool's name."""
        ...

    @property
    def rater(self) -> str:
        """The column of `read` that says who it was."""
        ...

    def matches(self, row: Row) -> bool:
        """Whether the row has the fields that mark this form."""
        ...

    def read(self, row: Row) -> Iterator[Row]:
        """A flat row for each person; none where nobody has said anything.

        Raises:
            ValueError: what is wrong with the row, with its key.
        """
        ...


@cache
def label_forms() -> PluginRegistry[LabelForm]:
    """The process's forms of labels, every one that an installed distribution declares.

    Raises:
        UsageError: two of them declare one name.
    """
    return PluginRegistry("form of labels", ENTRY_POINT_GROUP)


def detect(row: Row) -> LabelForm | None:
    """The form whose marks a row has; None where it is a row of a table."""
    registry = label_forms()
    return next((one for one in map(registry.get, registry.names()) if one.matches(row)), None)
