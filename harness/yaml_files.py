"""YAML files that people write: read with the line of each key, and JSON schemas for editors."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel

from harness.errors import UsageError
from harness.files import read_text

_LONGEST_EXCERPT = 40
MOST_COPIED = 10_000  # values that aliases may stand for beside those that are written out
_CHARACTERS = 100  # of a text count as one value
_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")


@dataclass(frozen=True, slots=True)
class YamlFile:
    """A YAML file with a mapping at the top: its data, and where each part of it stands."""

    path: Path
    data: dict[str, Any]
    node: yaml.Node

    def where(self, *keys: str | int) -> str:
        """`path:line` of a key, or of the last part of it that is there; else the path alone."""
        line = _line_of(self.node, keys)
        return str(self.path) if line is None else f"{self.path}:{line}"


def read_yaml(path: Path, error_type: type[UsageError] = UsageError) -> YamlFile:
    """The mapping in a YAML file, loaded safely; every key in it is text.

    Raises:
        UsageError: (as `error_type`) a file that is missing or cannot be read, bad syntax or a bad
            value with its line, a key that is doubled or no text, nesting without end, aliases
            that make too many copies, or something other than a mapping at the top.
    """
    try:
        text = read_text(path)
        loader = _Loader(text)
        node = loader.get_single_node()
        _check_aliases(node)
        data: Any = None if node is None else loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"{path}:{mark.line + 1}" if mark else str(path)
        what = error.problem or "bad YAML"
        raise error_type(f"YAML: {what}", where=place, hint=_advice(error, text)) from None
    except yaml.YAMLError as error:
        raise error_type(f"YAML: {error}", where=str(path)) from None
    except RecursionError:
        raise error_type("YAML: nested too deeply", where=str(path)) from None
    except UsageError as error:
        raise error_type(error.what, where=error.where, hint=error.hint) from None
    except ValueError as error:  # a path that holds a NUL
        raise error_type(f"cannot read: {error}", where=str(path)) from None
    if node is None or not isinstance(data, dict):
        raise error_type("must hold `key: value` lines at the top", where=str(path))
    return YamlFile(path, data, node)


def _advice(error: yaml.MarkedYAMLError, text: str) -> str:
    mark, lines = error.problem_mark, text.splitlines()
    read = not isinstance(error, yaml.scanner.ScannerError | yaml.parser.ParserError)
    if read or mark is None or mark.line >= len(lines) or "${" not in lines[mark.line]:
        return "correct the syntax"
    return "put a value with `${` in quotes: between braces YAML reads its brace as its own"


def line_of(file: Path, key: str) -> int | None:
    """The line of a key such as `gate.rules[2].metric` in a YAML file, or of the last known part.

    None where the file cannot be read or does not have even the first part.
    """
    try:
        node = yaml.compose(file.read_text(encoding="utf-8"), yaml.SafeLoader)
    except (OSError, ValueError, yaml.YAMLError, RecursionError):
        return None
    return _line_of(node, [name or int(index) for name, index in _STEP.findall(key)])


def _check_aliases(root: yaml.Node | None) -> None:
    """Refuse aliases that would be written out as more than `MOST_COPIED` values or characters.

    What is read from the file is checked, stored and hashed whole, each alias as often as it
    stands there.
    """
    if root is None:
        return
    sizes: dict[int, int] = {}
    own = 0
    stack: list[tuple[yaml.Node, bool]] = [(root, False)]
    while stack:
        node, left = stack.pop()
        if not left and id(node) in sizes:
            if sizes[id(node)] == 0:
                raise _refused("an alias stands within what it names", node)
            continue
        children = _parts(node)
        if left or not children:
            length = 1 if children else 1 + len(node.value) // _CHARACTERS
            own += length
            sizes[id(node)] = length + sum(sizes[id(child)] for child in children)
            if sizes[id(node)] - own > MOST_COPIED:
                raise _refused(f"its aliases stand for more than {MOST_COPIED} values", node)
            continue
        sizes[id(node)] = 0  # under way
        stack.append((node, True))
        stack += [(child, False) for child in children]


def _parts(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [part for pair in node.value for part in pair]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


class _Loader(yaml.SafeLoader):
    """A safe loader whose every complaint has a line, and that refuses doubled and odd keys."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """The node's value."""
        try:
            value = super().construct_object(node, deep)
            if isinstance(value, str):
                value.encode()
        except (yaml.YAMLError, RecursionError):
            raise
        except UnicodeEncodeError:
            raise _refused("half a surrogate pair, which is no character", node) from None
        except Exception as error:  # PyYAML leaves bad dates, numbers and tags to Python
            raise _refused(f"cannot read `{_excerpt(node)}`: {error}", node) from error
        return value


def _refused(what: str, node: yaml.Node) -> yaml.constructor.ConstructorError:
    return yaml.constructor.ConstructorError(None, None, what, node.start_mark)


def _excerpt(node: yaml.Node) -> str:
    text = node.value if isinstance(node.value, str) else node.tag
    return text if len(text) <= _LONGEST_EXCERPT else f"{text[:_LONGEST_EXCERPT]}…"


def _mapping(loader: _Loader, node: yaml.MappingNode, deep: bool = False) -> Any:
    lines: dict[str, int] = {}
    for key_node, _ in node.value:
        key = loader.construct_object(key_node, deep=True)
        if not isinstance(key, str):
            raise _refused(_no_text(key, key_node), key_node)
        if key in lines:
            raise _refused(f"key `{key}` given twice, first on line {lines[key]}", key_node)
        lines[key] = _line(key_node)
    return yaml.SafeLoader.construct_mapping(loader, node, deep)


def _no_text(key: Any, node: yaml.Node) -> str:
    """What is wrong with a key that YAML reads as something other than text."""
    if isinstance(key, list | dict | set):
        return "a key must be text, not a list or a mapping"
    if key is None:
        return "a key is empty: write its name before the colon"
    # YAML 1.1 has several words for true and false.
    means = (
        str(key).lower()
        if isinstance(key, bool)
        else "a date"
        if isinstance(key, datetime.date)
        else "a number"
    )
    return f'key `{_excerpt(node)}` means {means} in YAML: write "{_excerpt(node)}" in quotes'


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def _line_of(node: yaml.Node | None, keys: Iterable[str | int]) -> int | None:
    """The line of the last part of a key that is there, from 1 on."""
    line: int | None = None
    for key in keys:
        step = _child(node, key)
        if step is None:
            break
        line, node = step
    return line


def _child(node: yaml.Node | None, step: str | int) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int):
        items: Sequence[yaml.Node] = node.value
        return (_line(items[step]), items[step]) if step < len(items) else None
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == step:
                return _line(key), value
    return None


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


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
