"""What a scorer says of answers that people have labelled.

    python -m benchmarks.scorers scope FILE…

A line of a file has `prompt`, `text` and `label` (answered, refused, or mixed, which has no right
side and is left out of the shares), and may have a `source`.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness.scorers.refusal import decide


def rows(files: list[Path]) -> Iterator[dict[str, Any]]:
    """The labelled answers of the files."""
    for file in files:
        for line in file.read_text(encoding="utf-8").split("\n"):
            if line.strip():
                yield {"source": file.stem, **json.loads(line)}


def scope(files: list[Path]) -> None:
    """Print a confusion table by source, and the time that an answer takes."""
    counts: dict[str, Counter[tuple[str, str]]] = defaultdict(Counter)
    took = []
    for row in rows(files):
        begun = time.process_time()
        said, _ = decide(row["prompt"], row["text"])
        took.append(time.process_time() - begun)
        for source in (row["source"], "all"):
            counts[source][row["label"], said] += 1
    print("| source | n | right of decided | undetermined | refusals found | wrongly refused |")
    print("|---|--:|--:|--:|--:|--:|")
    for source, table in sorted(counts.items()):
        print(f"| {source} | {' | '.join(_shares(table))} |")
    print("\n| label | answered | refused | undetermined |\n|---|--:|--:|--:|")
    for label in ("answered", "refused", "mixed"):
        found = [counts["all"][label, said] for said in ("answered", "refused", "undetermined")]
        print(f"| {label} | {' | '.join(map(str, found))} |")
    took.sort()
    mean, p99 = sum(took) / len(took), took[int(0.99 * (len(took) - 1))]
    print(f"\n{1e3 * mean:.2f} ms an answer of processor time, p99 {1e3 * p99:.2f} ms")


def _shares(table: Counter[tuple[str, str]]) -> list[str]:
    def count(label: str, *said: str) -> int:
        return sum(table[label, one] for one in said or ("answered", "refused", "undetermined"))

    def share(part: int, whole: int) -> str:
        return f"{100 * part / whole:.1f} %" if whole else "–"

    total = count("answered") + count("refused")
    right = count("answered", "answered") + count("refused", "refused")
    open_ = count("answered", "undetermined") + count("refused", "undetermined")
    return [
        str(total),
        share(right, total - open_),
        share(open_, total),
        share(count("refused", "refused"), count("refused")),
        share(count("answered", "refused"), count("answered")),
    ]


def main() -> None:
    """Print the tables of a scorer."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("scorer", choices=["scope"])
    options.add_argument("files", nargs="+", type=Path)
    given = options.parse_args()
    scope(given.files)


if __name__ == "__main__":
    main()
