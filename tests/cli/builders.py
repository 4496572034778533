"""What tests of commands share: a call in this process, and changes of the shop's project."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.cli.main import main
from harness.storage import runs_of


def call(*arguments: str) -> int:
    with pytest.raises(SystemExit) as left:
        main(list(arguments))
    code = left.value.code
    assert isinstance(code, int)
    return code


def texts(project_dir: Path, target: str) -> list[str]:
    """The answers of the target's newest finished run."""
    folder, _ = runs_of(project_dir / ".harness/runs", target)[0]
    return [item.text or "" for item in folder.load().attempts]


def edit_case(project_dir: Path, number: int) -> None:
    path = project_dir / "suites/shop/gold.jsonl"
    path.write_text(path.read_text().replace(f"What is fact {number}?", f"Which fact is {number}?"))
