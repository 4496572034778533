from __future__ import annotations

import json
from pathlib import Path

from benchmarks.drift import read, table


def run(folder: Path, nats: dict[str, tuple[float, float]]) -> Path:
    """A run of two documents a task, of which the second choice is right."""
    cases = [
        {
            "case": {"id": f"{task}/{number}", "tags": [task]},
            "attempt": {"text": f"a: {one:.4f} nats\n» 3: -1: {other:.4f} nats"},
            "score": {"status": "scored", "value": float(other > one)},
        }
        for task, (one, other) in nats.items()
        for number in range(2)
    ]
    folder.mkdir()
    (folder / "recorded.json").write_text(json.dumps({"sections": [{"cases": cases}]}))
    return folder


def test_the_task_whose_choices_moved_most_is_asked_first(tmp_path: Path) -> None:
    base = run(tmp_path / "base", {"kept": (-2.0, -2.0), "lost": (-9.0, -1.0)})
    candidate = run(tmp_path / "candidate", {"kept": (-5.0, -5.0), "lost": (-1.0, -9.0)})
    assert [line.split() for line in table(read(base), read(candidate), 1)] == [
        ["lost", "0.999", "-100.0%", "-100.0%", "3"],
        ["kept", "0.000", "+0.0%", "+0.0%", "4"],
    ]
