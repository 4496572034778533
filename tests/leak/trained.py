"""Training files in a folder, and cases to hold against them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from harness.leak.conversations import Trained
from harness.leak.search import TrainingTexts


def write_rows(path: Path, rows: Iterable[Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def chat(question: str, answer: str = "It is so.") -> dict[str, Any]:
    turns = [("user", question), ("assistant", answer)]
    return {"messages": [{"role": role, "content": text} for role, text in turns]}


def texts_of(asked: Sequence[str], *cases: str) -> TrainingTexts:
    examples = [
        Trained(f"train.jsonl:{place}", (one,), ("",)) for place, one in enumerate(asked, 1)
    ]
    return TrainingTexts(examples, [(case, case) for case in cases])


def kinds(asked: Sequence[str] | str, case: str) -> list[str]:
    """The kinds of match of a case with training texts."""
    texts = texts_of([asked] if isinstance(asked, str) else asked, case)
    return [one.kind for one in texts.matches(case)]
