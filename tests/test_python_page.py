"""docs/python.md: its examples run as they stand there, its tables are the code's."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

import harness
from harness.api import frames
from harness.api.frames import Column

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "docs/python.md").read_text()
TABLES = {
    "Run.frame()": frames.ATTEMPTS,
    "Run.metrics()": frames.VALUES,
    "Run.terms()": frames.TERMS,
    "Comparison.frame()": frames.PAIRS,
    "Comparison.metrics()": frames.DIFFERENCES,
    "GateResult.rules()": frames.RULES,
}


def markdown(columns: tuple[Column, ...]) -> str:
    """The columns as a table for a page."""
    lines = ["| column | type | what it holds |", "| --- | --- | --- |"]
    for column in columns:
        levels = ", ".join(f"`{level}`" for level in column.levels)
        meaning = f"{column.meaning}: {levels}" if levels else column.meaning
        lines.append(f"| `{column.name}` | {column.dtype} | {meaning} |")
    return "\n".join(lines) + "\n"


def test_the_examples_give_what_the_page_shows(project_dir: Path) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
    assert len(blocks) >= 5
    session = doctest.DocTestParser().get_doctest("".join(blocks), {}, "python.md", None, 0)
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    told: list[str] = []
    found = doctest.DocTestRunner(optionflags=flags).run(session, out=told.append)
    assert found.failed == 0, "".join(told)
    assert found.attempted > 20


@pytest.mark.parametrize("title", TABLES)
def test_the_columns_are_those_of_the_code(title: str) -> None:
    columns: tuple[Column, ...] = TABLES[title]
    assert f"### `{title}`\n\n{markdown(columns)}" in TEXT


def test_every_function_and_error_of_the_face_is_on_the_page() -> None:
    classes = {"Run", "Comparison", "GateResult", "__version__"}
    missing = [name for name in harness.__all__ if f"harness.{name}" not in TEXT]
    assert set(missing) <= classes
    assert all(f"`{name}." in TEXT for name in classes - {"__version__"})
