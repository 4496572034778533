"""The JSON schema of `suite.yaml`, made of the kinds of section that are installed."""

from __future__ import annotations

from typing import Any

from harness.json_schema import any_of, model_schema, one_file
from harness.sections.registry import SectionKinds, kinds
from harness.suites.load import SuiteFile


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
    schema = model_schema(SuiteFile)
    sections = any_of(alternatives)
    schema["$defs"] = {**schema.get("$defs", {}), **sections.pop("$defs", {})}
    schema["properties"]["sections"]["additionalProperties"] = sections
    return one_file("suite.yaml", schema)
