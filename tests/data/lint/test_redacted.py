from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.data.lint.check import CheckSettings
from harness.data.lint.linter import lint_files
from harness.data.lint.redacted import write_redacted
from harness.errors import UsageError
from harness.personal_data import NameFinder, Redactor, Span


def test_copies_hold_the_same_name_for_the_same_value(tmp_path: Path) -> None:
    one, two = tmp_path / "one.jsonl", tmp_path / "two.csv"
    one.write_text('{"prompt": "I am a@b.example", "completion": "Hi"}\nno JSON\n')
    two.write_text("prompt,answer\nc@d.example,to a@b.example\n")
    done = write_redacted([one, two], tmp_path / "out")
    assert done.replaced == {"email": 3}
    assert done.left_out == [f"{one}:2"]
    rows = [json.loads(path.read_text()) for path in done.files]
    assert rows == [
        {"prompt": "I am <EMAIL_1>", "completion": "Hi"},
        {"prompt": "<EMAIL_2>", "answer": "to <EMAIL_1>"},
    ]


class Ada(NameFinder):
    """A model that knows one name."""

    def __init__(self) -> None:
        pass

    def find(self, text: str) -> list[Span]:
        at = text.find("Ada Byron")
        return [] if at < 0 else [Span(at, at + 9, "person")]


def test_names_are_found_and_replaced_with_a_model(tmp_path: Path) -> None:
    file = tmp_path / "one.jsonl"
    file.write_text('{"prompt": "I am Ada Byron, a@b.example", "completion": "Hi"}\n')
    found = lint_files([file], CheckSettings(names=Ada()))
    assert {one.code for one in found.findings} >= {"person", "email"}
    done = write_redacted([file], tmp_path / "out.jsonl", Redactor(names=Ada()))
    assert "I am <PERSON_1>, <EMAIL_1>" in done.files[0].read_text()


def test_no_file_is_replaced_by_its_own_copy(tmp_path: Path) -> None:
    file = tmp_path / "one.jsonl"
    file.write_text("{}\n")
    with pytest.raises(UsageError, match="would replace the file itself"):
        write_redacted([file], file)
    other = tmp_path / "more" / "one.jsonl"
    with pytest.raises(UsageError, match="have one name"):
        write_redacted([file, other], tmp_path / "out")
