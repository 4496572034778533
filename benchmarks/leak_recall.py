"""How many planted leaks are found, and how often unrelated questions are called leaked.

Beside questions to a bank that are made from templates, the questions in files of JSON lines
(`question` or `prompt`) are divided by chance into an exam and training data.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.leak_texts import KINDS, bank_questions
from harness.leak.conversations import Trained
from harness.leak.search import TrainingTexts
from harness.leak.vocabulary import split_words

EXAM, TRAINING = 1_000, 5_000


def leaked(exam: Sequence[str], training: Sequence[str]) -> list[str]:
    """The texts of the exam that are found in the training texts."""
    examples = [Trained(str(place), (text,), ("",)) for place, text in enumerate(training)]
    texts = TrainingTexts(examples, [(text, text) for text in exam])
    return [text for text in exam if next(texts.matches(text), None) is not None]


def questions(path: Path) -> list[str]:
    """The different questions of a file."""
    rows = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    found = (row.get("question") or row.get("prompt") or "" for row in rows)
    different = {tuple(split_words(text)): " ".join(text.split()) for text in found if text}
    return list(different.values())


def rows(name: str, asked: list[str], rng: random.Random) -> Iterator[tuple[str, str, int, int]]:
    """What was planted or not, how many texts of the exam were found, and of how many."""
    rng.shuffle(asked)
    size = min(EXAM, len(asked) // 3)
    exam, training = asked[:size], asked[size : size + TRAINING]
    alarms = leaked(exam, training)
    yield name, "unrelated: false alarms", len(alarms), size
    for text in alarms[:5]:
        print(f"  called leaked: {text[:120]}", file=sys.stderr)
    for kind, change in KINDS.items():
        planted = {text: made for text in exam if (made := change(text, rng))}
        if planted:
            found = leaked(list(planted), [*training, *planted.values()])
            yield name, kind, len(found), len(planted)
            if "-v" in sys.argv:
                for text in [one for one in planted if one not in set(found)][:5]:
                    print(f"  missed: {text[:90]} | {planted[text][:90]}", file=sys.stderr)


def main() -> None:
    """Print the table."""
    rng = random.Random(0)
    sources = {"bank": bank_questions(rng, EXAM + TRAINING)}
    for name in sys.argv[1:]:
        if name != "-v":
            sources[Path(name).stem] = questions(Path(name))
    print(f"{'source':<12} {'planted':<26} {'found':>6} {'of':>6} {'share':>8}")
    for name, asked in sources.items():
        for source, kind, found, of in rows(name, asked, rng):
            print(f"{source:<12} {kind:<26} {found:>6} {of:>6} {100 * found / of:>7.1f}%")


if __name__ == "__main__":
    main()
