"""Which abilities a look at a few documents of each would ask first, by the drift of their choices.

python -m benchmarks.drift .harness/runs/base-… .harness/runs/candidate-… [--first 10]

The runs are those of a suite with multiple-choice tasks of lm-eval. The drift of a document is the
total variation distance between the base's and the candidate's probabilities of its choices, from
0 to 1; that of a task is the mean over its first documents, and needs no right answer. Beside it
stands what all documents say, and how many have been asked when the tasks are asked in that order.
"""

from __future__ import annotations

import argparse
import json
import math
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

_CHOICE = re.compile(r": (-?[\d.]+) nats$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Document:
    """The probabilities of a document's choices, and its accuracy."""

    choices: Sequence[float]
    right: float


def read(run: Path) -> dict[str, dict[str, Document]]:
    """The documents of each task by their ids, in the order of their data."""
    found: dict[str, dict[str, Document]] = defaultdict(dict)
    recorded = json.loads((run / "recorded.json").read_text(encoding="utf-8"))
    for section in recorded["sections"]:
        for one in section["cases"]:
            nats = [float(text) for text in _CHOICE.findall(one["attempt"].get("text") or "")]
            if len(nats) > 1 and one["score"]["status"] == "scored":
                top = max(nats)
                weights = [math.exp(each - top) for each in nats]
                shares = [each / sum(weights) for each in weights]
                (task,) = one["case"]["tags"]
                found[task][one["case"]["id"]] = Document(shares, one["score"]["value"])
    return found


def drift(before: Document, after: Document) -> float:
    """The total variation distance between the choices' probabilities."""
    pairs = zip(before.choices, after.choices, strict=True)
    return sum(abs(one - other) for one, other in pairs) / 2


def table(
    base: Mapping[str, Mapping[str, Document]],
    candidate: Mapping[str, Mapping[str, Document]],
    first: int,
) -> list[str]:
    """A line for each task, the one that has drifted most first: drift, gains, documents asked."""
    rows = []
    for task, documents in candidate.items():
        pairs = [(base[task][name], after) for name, after in documents.items()]
        moved = fmean(drift(*pair) for pair in pairs[:first])
        gained = [after.right - before.right for before, after in pairs]
        rows.append((moved, task, fmean(gained[:first]), fmean(gained), len(pairs)))
    asked, lines = sum(min(first, size) for *_, size in rows), []
    for moved, task, early, gain, size in sorted(rows, reverse=True):
        asked += max(size - first, 0)
        lines.append(f"{task:<12}{moved:>9.3f}{early:>+13.1%}{gain:>+13.1%}{asked:>10}")
    return lines


def main() -> None:
    """Print the table of each candidate."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("base", type=Path)
    parser.add_argument("candidates", type=Path, nargs="+")
    parser.add_argument("--first", type=int, default=10, help="documents of each task")
    given = parser.parse_args()
    base = read(given.base)
    head = f"{'task':<12}{'drift':>9}{f'first {given.first}':>13}{'all':>13}{'asked':>10}"
    for run in given.candidates:
        print(run.name, head, sep="\n")
        print("\n".join(table(base, read(run), given.first)))


if __name__ == "__main__":
    main()
