from __future__ import annotations

from pathlib import Path

import pytest

from harness.data.lint.check import CheckSettings
from harness.data.lint.linter import lint_files
from harness.data.lint.recipes import with_base
from harness.errors import UsageError
from harness.training.candidate import Recipe
from tests.data.lint import planted


def recipe(base: Path) -> Recipe:
    return Recipe(name="r", base=str(base), data=("-",), max_length=100, steps=1)


def test_a_base_tells_what_max_length_cuts(tmp_path: Path, micro_base: Path) -> None:
    files = (tmp_path / "planted.jsonl",)
    lines = {code: line for line, code in planted.write(files[0]).items()}
    settings = with_base(CheckSettings(), recipe(micro_base), tmp_path, files, "utf-8")
    done = lint_files(files, settings)
    cuts = {one.cases[0]: one.what for one in done.findings if one.code == "cut-off"}
    assert "`max_length` 100 cuts the answer" in cuts[f"{files[0]}:{lines['long-answer']}"]
    # Rows with faults in their turns are no conversations to a training.
    assert dict(done.facts)["answers cut off"] == f"{len(cuts)} of 98 by max_length 100"


def test_a_file_without_a_conversation_has_nothing_to_encode(
    tmp_path: Path, micro_base: Path
) -> None:
    files = (tmp_path / "none.jsonl",)
    files[0].write_text('{"messages": []}\n')
    with pytest.raises(UsageError, match="no row is a conversation"):
        with_base(CheckSettings(), recipe(micro_base), tmp_path, files, "utf-8")
