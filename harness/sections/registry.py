"""The registry of kinds of section, and the JSON schema of `suite.yaml` made from them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from difflib import get_close_matches
from functools import cache
from importlib.metadata import EntryPoint
from typing import Any

from harness.errors import SuiteError
from harness.plugins import PluginRegistry
from harness.sections.protocol import SectionKind
from harness.suites.load import SuiteKeys
from harness.suites.source import LoadedSection, SectionSource
from harness.yaml_files import any_of, model_schema, one_file

ENTRY_POINT_GROUP = "harness.sections"


class SectionKinds(PluginRegistry[SectionKind]):
    """Kinds of section by name: what installed distributions declare, or those `declared`.

    It is the `SectionBook` of a suite's loader.
    """

    def __init__(self, declared: Iterable[EntryPoint] | None = None) -> None:
        super().__init__("kind of section", ENTRY_POINT_GROUP, declared)

    def load(self, source: SectionSource) -> LoadedSection:
        """The section, read by its kind.

        Raises:
            SuiteError: no kind has its keys, or something is wrong with them.
        """
        try:
            return self._kind(source).load(_without_kind(source))
        except ValueError as error:  # a plugin's
            raise SuiteError(str(error), where=source.where) from None

    def _kind(self, source: SectionSource) -> SectionKind:
        """The kind that the section names, else that which has its keys.

        Raises:
            ValueError: there is none.
        """
        kinds = [self.get(name) for name in self.names()]
        keys = ", ".join(f"`{kind.key}` ({kind.name})" for kind in kinds)
        written = source.written
        if not isinstance(written, Mapping):
            raise ValueError(f"must hold the keys of a kind of section: {keys}")
        if "kind" in written:
            return self._named(written["kind"])
        for kind in kinds:
            if kind.key in written:
                return kind
        for kind in kinds:
            if written.keys() & kind.keys.model_fields.keys():
                return kind  # it says what is missing
        near = get_close_matches(
            next(map(str, written), ""), [key for kind in kinds for key in kind.keys.model_fields]
        )
        hint = f"; did you mean `{near[0]}`?" if near else ""
        raise ValueError(f"is of no known kind, it has none of the keys {keys}{hint}")

    def _named(self, given: Any) -> SectionKind:
        if not isinstance(given, str):
            raise ValueError("kind: must be the name of a kind of section")
        try:
            return self.get(given)
        except ValueError as error:
            raise ValueError(f"kind: {error}") from None


def _without_kind(source: SectionSource) -> SectionSource:
    written = {key: value for key, value in source.written.items() if key != "kind"}
    return replace(source, written=written)


@cache
def kinds() -> SectionKinds:
    """The process's kinds of section, holding every one that an installed distribution declares.

    Raises:
        UsageError: two of them declare one name.
    """
    return SectionKinds()


def register(kind: SectionKind) -> None:
    """Make a kind of section known to this process.

    Raises:
        ValueError: the name is taken.
    """
    kinds().register(kind)


def suite_schema(book: SectionKinds | None = None) -> dict[str, Any]:
    """The schema; a kind of section with a method `schemas` lists its alternatives itself.

    Raises:
        ValueError: a kind cannot be loaded.
    """
    book = kinds() if book is None else book
    alternatives = []
    for name in book.names():
        kind = book.get(name)
        own = getattr(kind, "schemas", None)
        for part in [model_schema(kind.keys, f"{name}.")] if own is None else own():
            properties = {"kind": {"const": name}, **part.get("properties", {})}
            alternatives.append({**part, "properties": properties})
    schema = model_schema(SuiteKeys)
    sections = any_of(alternatives)
    schema["$defs"] = {**schema.get("$defs", {}), **sections.pop("$defs", {})}
    schema["properties"]["sections"]["additionalProperties"] = sections
    return one_file("suite.yaml", schema)
