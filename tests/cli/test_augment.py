"""`harness augment`: what it says, and that nothing is replaced."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.builders import call
from tests.data.test_augment import QUESTIONS, chat


def test_counts_are_said_and_a_file_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = [*map(chat, QUESTIONS), {"messages": []}]
    Path("d.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert call("augment", "d.jsonl", "-o", "out.jsonl", "--by", "casing") == 0
    shown = capsys.readouterr().out
    assert "casing: 3\nrejected: d.jsonl:4: " in shown
    assert shown.endswith(
        "1 rejected: out.rejected.jsonl\n3 conversations and 3 variants in out.jsonl\n"
    )
    assert call("augment", "d.jsonl", "-o", "out.jsonl") == 2
    assert "out.jsonl: is there already" in capsys.readouterr().err
    assert call("augment", "d.jsonl", "-o", "out.jsonl", "--force", "--by", "typo") == 2
    assert "--by: no perturbation `typo`" in capsys.readouterr().err
