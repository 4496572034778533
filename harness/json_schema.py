"""JSON schemas of the files that people write, for editors that complete and check YAML."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def model_schema(model: type[BaseModel], prefix: str = "") -> dict[str, Any]:
    """The schema of what the model reads; `prefix` keeps the names of its parts apart."""
    schema = model.model_json_schema(ref_template=f"#/$defs/{prefix}{{model}}")
    parts = schema.pop("$defs", {})
    if parts:
        schema["$defs"] = {f"{prefix}{name}": part for name, part in parts.items()}
    return schema


def one_file(title: str, schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of a file: with its dialect and title, and no key that says the same twice."""
    return {"$schema": DIALECT, **schema, "title": title}


def any_of(parts: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """The schema of what fits any of the parts, the definitions of all of them at its top."""
    alternatives = []
    definitions: dict[str, Any] = {}
    for part in parts:
        definitions.update(part.get("$defs", {}))
        alternatives.append({key: value for key, value in part.items() if key != "$defs"})
    schema: dict[str, Any] = {"anyOf": alternatives}
    return {**schema, "$defs": definitions} if definitions else schema
