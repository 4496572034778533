"""Write the documents of suites/general from abilities.yaml.

Run as `python make_abilities.py [FOLDER]`: the same table gives the same files, byte for byte.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).resolve().parent
SEED = 20260101
DOCUMENTS = 60  # of each ability: enough for a margin of 15 points
Table = dict[str, Any]
# What is asked, the right choice, and the wrong ones.
Question = tuple[str, str, Sequence[str]]


def others(rng: random.Random, right: str, all_: Sequence[str]) -> list[str]:
    """Three wrong choices."""
    return rng.sample([one for one in all_ if one != right], 3)


def capitals(rng: random.Random, table: Table) -> Iterator[Question]:
    """The capital of a country among four."""
    cities = list(table["capitals"].values())
    for country, city in table["capitals"].items():
        yield f"The capital of {country} is", city, others(rng, city, cities)


def opposites(rng: random.Random, table: Table) -> Iterator[Question]:
    """The opposite of a word among four."""
    words = list(table["opposites"].values())
    for word, opposite in table["opposites"].items():
        wrong = others(rng, opposite, [one for one in words if one != word])
        yield f"The opposite of {word} is", opposite, wrong


def kinds(rng: random.Random, table: Table) -> Iterator[Question]:
    """What kind of thing something is."""
    for kind, things in table["kinds"].items():
        for thing in things:
            yield f"The {thing} is a kind of", kind, others(rng, kind, list(table["kinds"]))


def past(_: random.Random, table: Table) -> Iterator[Question]:
    """The past tense of an irregular verb."""
    for verb, was in table["past"].items():
        regular = f"{verb}d" if verb.endswith("e") else f"{verb}ed"
        yield f"Today we {verb}. Yesterday we", was, [verb, regular, f"{verb}s"]


def runs(rng: random.Random, table: Table) -> Iterator[Question]:
    """What comes next."""
    for run in table["runs"]:
        for place in range(3, len(run)):
            yield f"{', '.join(run[place - 3 : place])},", run[place], others(rng, run[place], run)


def agreement(rng: random.Random, table: Table) -> Iterator[Question]:
    """The verb of a subject with a noun of the other number in between."""
    words = table["agreement"]
    for subject in words["subjects"]:
        for other in words["others"]:
            end = rng.choice(words["ends"])
            if rng.random() < 0.5:
                yield f"The {subject}s of the {other}", f"are {end}", [f"is {end}"]
            else:
                yield f"The {subject} of the {other}s", f"is {end}", [f"are {end}"]


def sums(rng: random.Random, _: Table) -> Iterator[Question]:
    """Sums of two digits."""
    pairs = [(left, right) for left in range(2, 10) for right in range(2, 10)]
    for left, right in rng.sample(pairs, 60):
        total = left + right
        wrong = [str(total + by) for by in (-1, 1, 2)]
        yield f"2 + 2 = 4\n1 + 5 = 6\n7 + 1 = 8\n{left} + {right} =", str(total), wrong


ABILITIES: tuple[Callable[[random.Random, Table], Iterator[Question]], ...] = (
    agreement,
    capitals,
    kinds,
    opposites,
    past,
    runs,
    sums,
)


def documents(ability: Callable[[random.Random, Table], Iterator[Question]], table: Table) -> str:
    """The file of an ability."""
    rng, lines = random.Random(f"{SEED}/{ability.__name__}"), []
    asked = list(ability(rng, table))
    for text, right, wrong in rng.sample(asked, DOCUMENTS) if len(asked) > DOCUMENTS else asked:
        choices = [right, *wrong]
        rng.shuffle(choices)
        line = {"text": text, "choices": choices, "answer": choices.index(right)}
        lines.append(json.dumps(line, ensure_ascii=False) + "\n")
    return "".join(lines)


def main(folder: Path) -> None:
    """Write every file under `folder`."""
    table = yaml.safe_load((HERE / "abilities.yaml").read_text(encoding="utf-8"))
    for ability in ABILITIES:
        path = folder / "suites/general" / f"{ability.__name__}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        text = documents(ability, table)
        path.write_text(text, encoding="utf-8", newline="\n")
        print(f"{text.count(chr(10)):5} documents  {path.name}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
