"""Writes the documents of the example's tasks: `python examples/benchmarks/make_data.py FOLDER`."""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SUMS = 120
NOTES = 60
NAMES = ("lamp", "chair", "kettle", "scarf", "globe", "tray", "basket", "clock")
SHELVES = ("red", "blue", "green", "white", "grey", "brown")


def sums(draw: random.Random) -> Iterator[dict[str, Any]]:
    """Sums of two digits with four answers to choose from, none of them twice."""
    pairs = [(left, right) for left in range(10) for right in range(10)]
    for number in range(SUMS):
        left, right = pairs[number] if number < len(pairs) else draw.choice(pairs)
        total = left + right
        choices = [total, total + 1, total + 2, abs(total - 1) if total else 3]
        draw.shuffle(choices)
        yield {
            "question": f"{left} + {right} =",
            "choices": [str(choice) for choice in choices],
            "answer": choices.index(total),
        }


def notes(draw: random.Random) -> Iterator[dict[str, Any]]:
    """Two questions about each note, so that the note is the unit of independence."""
    for number in range(NOTES):
        name, shelf, price = draw.choice(NAMES), draw.choice(SHELVES), draw.randrange(10, 100)
        note = f"The {name} is on the {shelf} shelf and costs {price}."
        for question, answer in (("Which shelf?", shelf), ("What price?", str(price))):
            yield {"note": number, "text": note, "question": question, "answer": answer}


def main(folder: Path) -> None:
    """Write both files into the folder."""
    draw = random.Random("skills")
    for name, rows in (("sums", sums(draw)), ("notes", notes(draw))):
        lines = [json.dumps(row) + "\n" for row in rows]
        (folder / f"{name}.jsonl").write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
