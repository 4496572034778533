"""The errors that scorers state are those of the page, with the command beside them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness.scorers import get

PAGE = (Path(__file__).parents[2] / "docs/scorers.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["compliance", "gold", "scope"])
def test_a_stated_error_stands_in_the_docs(name: str) -> None:
    section = PAGE.split(f"\n## `{name}`", 1)[1].split("\n## ", 1)[0]
    for number in re.findall(r"\d[\d.,]*(?= %)", get(name).measured):
        assert re.search(rf"\b{re.escape(number)}(\.\d)? %", section), number
