"""docs/security.md names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "docs/security.md").read_text()
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", TEXT)))


@pytest.mark.parametrize(("file", "test"), NAMED)
def test_what_holds_a_statement_is_there(file: str, test: str) -> None:
    assert f"def {test}" in (ROOT / file).read_text()


def test_the_locked_versions_are_looked_up_in_a_job_of_its_own() -> None:
    path = ".github/workflows/audit.yml"
    assert f"`{path}`" in (ROOT / "SECURITY.md").read_text()
    job = yaml.safe_load((ROOT / path).read_text())["jobs"]["audit"]
    assert [step["run"] for step in job["steps"] if "run" in step] == ["make audit PYTHON=python"]


def test_every_statement_of_a_table_names_what_holds_it() -> None:
    tables = re.split(r"^(?=\| \w+.* \|\n\| ---)", TEXT, flags=re.MULTILINE)[1:]
    rows = [
        row
        for table in tables
        if table.startswith(("| statement |", "| attack |"))
        for row in re.findall(r"^\| (.+) \|$", table, re.MULTILINE)[2:]
    ]
    assert len(rows) > 40
    assert [row for row in rows if "`tests/" not in row.rpartition(" | ")[2]] == []
