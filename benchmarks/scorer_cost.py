"""The processor time that the built-in scorers take for an answer.

    python -m benchmarks.scorer_cost FILE…

The files hold labelled answers as `benchmarks.scorers` reads them, of which only the texts are
used: 2,000 as they are, and 300 put together to texts of 4,000 characters. Printed are the mean and
the 99th percentile in milliseconds, each the best of three readings.
"""

from __future__ import annotations

import argparse
import gc
import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.scorers import rows
from harness.records.suite import Case
from harness.scorers import get

LENGTH = 4000  # characters of a long answer
MOST, LONG_ONES = 2000, 300
READINGS = 3
KINDS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("gold", "contains", {"answers": ["42 dollars"], "match": "contains"}),
    ("gold", "number", {"answers": ["42"], "match": "number"}),
    ("gold", "yes_no", {"answers": ["yes"], "match": "yes_no"}),
    ("gold", "date", {"answers": ["3 May 2024"], "match": "date"}),
    ("gold", "time", {"answers": ["10:30"], "match": "time"}),
    ("gold", "f1", {"answers": ["42 dollars"], "match": "f1"}),
    ("scope", "refuse", {"behavior": "refuse"}),
    ("tone", "must", {"must": ["thank you"]}),
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scorer_cost")
    parser.add_argument("files", nargs="+", type=Path)
    texts = list(dict.fromkeys(_text(row) for row in rows(parser.parse_args(arguments).files)))
    rng = random.Random(0)
    some = rng.sample(texts, min(MOST, len(texts)))
    long = [_long(rng, texts) for _ in range(LONG_ONES)]
    gc.collect()
    gc.freeze()  # what this file made is not looked through again
    print("| scorer | | an answer: mean, p99 ms | 4,000 characters: mean, p99 ms |")
    print("|---|---|--:|--:|")
    for scorer, kind, expect in KINDS:
        cells = [_cell(scorer, expect, group) for group in (some, long)]
        print(f"| `{scorer}` | `{kind}` | {' | '.join(cells)} |")


def _text(row: dict[str, Any]) -> str:
    return str(row.get("answer") or row.get("text") or "")


def _long(rng: random.Random, texts: Sequence[str]) -> str:
    text = ""
    while len(text) < LENGTH:
        text += rng.choice(texts) + "\n"
    return text[:LENGTH]


def _cell(scorer: str, expect: dict[str, Any], texts: Sequence[str]) -> str:
    readings = [_times(scorer, expect, texts) for _ in range(READINGS)]
    mean = min(sum(took) / len(took) for took in readings)
    p99 = min(took[int(0.99 * (len(took) - 1))] for took in readings)
    return f"{1e3 * mean:.2f}, {1e3 * p99:.2f}"


def _times(scorer: str, expect: dict[str, Any], texts: Sequence[str]) -> list[float]:
    """Seconds of processor time of each text, the shortest first."""
    score, took = get(scorer).score, []
    case = Case.model_validate(
        {
            "id": "one",
            "group": "one",
            "messages": [{"role": "user", "content": "What is the price of item 7?"}],
            "expect": expect,
        }
    )
    for text in texts:
        begun = time.process_time()
        score(text, case, {})
        took.append(time.process_time() - begun)
    return sorted(took)


if __name__ == "__main__":
    main()
