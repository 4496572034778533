"""Where the keys of a YAML file stand."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import yaml

_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")


def line_of(file: Path, key: str) -> int | None:
    """The line of a key such as `gate.rules[2].metric` in a YAML file, or of the last known part.

    None where the file cannot be read or knows not even the first part.
    """
    try:
        node = yaml.compose(file.read_text(encoding="utf-8"), yaml.SafeLoader)
    except (OSError, ValueError, yaml.YAMLError, RecursionError):
        return None
    line: int | None = None
    for name, index in _STEP.findall(key):
        step = _child(node, name or int(index))
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
