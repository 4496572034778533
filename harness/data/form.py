"""Forms of data: their Protocol and their registry."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Protocol, runtime_checkable

from harness.data.sample import Sample
from harness.errors import UsageError
from harness.plugins import PluginRegistry
from harness.validation import nearest

ENTRY_POINT_GROUP = "harness.data_forms"
Row = Mapping[str, Any]


class Form(Protocol):
    """One way in which a tool writes questions and answers down, a row each."""

    @property
    def name(self) -> str:
        """The form's name, as `--form` takes it."""
        ...

    @property
    def about(self) -> str:
        """What it is, in a few words."""
        ...

    def matches(self, row: Row) -> bool:
        """Whether the row has the fields that mark this form."""
        ...

    def read(self, row: Row) -> Iterator[Sample]:
        """The samples of a row; none where a row is not about a question and its answer.

        Raises:
            ValueError: what is wrong with the row, with its key.
        """
        ...


@runtime_checkable
class WritableForm(Protocol):
    """A form that can be written too."""

    def write(self, sample: Sample) -> dict[str, Any]:
        """The row of a sample.

        Raises:
            ValueError: the form cannot say it.
        """
        ...


@cache
def forms() -> PluginRegistry[Form]:
    """The process's forms, every one that an installed distribution declares.

    Raises:
        UsageError: two of them declare one name.
    """
    return PluginRegistry("form of data", ENTRY_POINT_GROUP)


def named(name: str) -> Form:
    """The form of that name.

    Raises:
        UsageError: there is none.
    """
    registry = forms()
    if name not in registry.names():
        near = nearest(name, registry.names()) or f"; there is {', '.join(registry.names())}"
        raise UsageError(f"no form of data `{name}`{near}", where="--form")
    return registry.get(name)


def detect(row: Row, where: str) -> Form:
    """The one form whose marks a row has.

    Raises:
        UsageError: none has them, or several.
    """
    registry = forms()
    found = [form for form in map(registry.get, registry.names()) if form.matches(row)]
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(f"`{form.name}`" for form in found)
        raise UsageError(f"may be any of the forms {names}", where=where, hint="say it: `--form`")
    keys = ", ".join(f"`{key}`" for key in list(row)[:8]) or "none"
    raise UsageError(
        f"is in no known form; it has the fields {keys}",
        where=where,
        hint="name the columns: `--map prompt=COLUMN --map answer=COLUMN`, or the form: `--form`",
    )
