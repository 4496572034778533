from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.data.lint.redacted import write_redacted
from harness.errors import UsageError


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


def test_no_file_is_replaced_by_its_own_copy(tmp_path: Path) -> None:
    file = tmp_path / "one.jsonl"
    file.write_text("{}\n")
    with pytest.raises(UsageError, match="would replace the file itself"):
        write_redacted([file], file)
    other = tmp_path / "more" / "one.jsonl"
    with pytest.raises(UsageError, match="have one name"):
        write_redacted([file, other], tmp_path / "out")
