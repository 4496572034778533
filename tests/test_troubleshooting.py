"""docs/troubleshooting.md and docs/models.md quote what the code says."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = "docs/troubleshooting.md", "docs/models.md"
TEXT = "\n".join((ROOT / page).read_text() for page in PAGES)


def quoted() -> list[str]:
    """Every message in the first column of a table headed by `what is said`."""
    found = []
    for table in re.findall(r"^\| what is said .*?\n((?:\|.*\n)+)", TEXT, re.MULTILINE):
        for row in table.splitlines()[1:]:
            first = re.split(r"(?<!\\)\|", row)[1]
            spans = re.findall(r"(`+)(.+?)(?<!`)\1(?!`)", first)
            found += [span.strip() for _, span in spans]
    return found


def said() -> list[str]:
    """Every text in the code, with `…` where something is filled in."""
    texts = []
    for path in sorted((ROOT / "harness").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.JoinedStr):
                texts.append("".join(
                    str(part.value) if isinstance(part, ast.Constant) else "…"
                    for part in node.values
                ))  # fmt: skip
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                texts.append(node.value)
    return texts


SAID = said()


@pytest.mark.parametrize("message", quoted())
def test_every_message_is_one_that_the_code_has(message: str) -> None:
    wanted = message.removeprefix("harness.yaml: ")
    assert any(wanted in text for text in SAID), message


def test_the_messages_are_found() -> None:
    assert len(quoted()) > 35
