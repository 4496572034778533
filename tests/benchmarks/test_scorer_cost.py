"""The benchmark of what scorers cost measures each of them."""

import json
from pathlib import Path

import pytest

from benchmarks import scorer_cost


def test_each_scorer_has_its_times(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(scorer_cost, "LONG_ONES", 2)
    file = tmp_path / "labelled.jsonl"
    texts = [{"answer": "It costs 42 dollars, thank you."}, {"text": "No, at 10:30 on 3 May 2024."}]
    file.write_text("".join(json.dumps(text) + "\n" for text in texts))
    scorer_cost.main([str(file)])
    lines = capsys.readouterr().out.splitlines()[2:]
    named = [line.split(" | ")[0].strip("| `") for line in lines]
    assert named == [scorer for scorer, _, _ in scorer_cost.KINDS]
    numbers = [float(part) for line in lines for part in line.replace("|", ",").split(",")[3:7]]
    assert all(number > 0 for number in numbers)
