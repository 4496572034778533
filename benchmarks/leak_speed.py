"""Seconds and memory of 100,000 training conversations against 10,000 cases, files included."""

from __future__ import annotations

import json
import random
import resource
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.leak_texts import KINDS, bank_questions
from harness.leak.check import find_leaks
from harness.leak.conversations import read_conversations
from harness.records.suite import Case

CONVERSATIONS, CASES, LEAKED = 100_000, 10_000, 0.05


def open_questions(rng: random.Random, count: int) -> list[str]:
    """Questions of 6 to 25 words, which are used as often as words are: by Zipf's law."""
    words = [f"w{number:x}".translate(str.maketrans("0123456789", "ghijklmnop"))
             for number in range(50_000)]  # fmt: skip
    weights = [1 / rank for rank in range(1, len(words) + 1)]
    drawn = iter(rng.choices(words, weights, k=26 * count))
    return [" ".join(next(drawn) for _ in range(rng.randint(6, 25))) + "?" for _ in range(count)]


def main() -> None:
    """Print the time of reading and of comparing, and the largest memory."""
    rng = random.Random(0)
    kind = sys.argv[1] if len(sys.argv) > 1 else "open"
    make = {"open": open_questions, "bank": bank_questions}[kind]
    asked = make(rng, CONVERSATIONS + CASES)
    rng.shuffle(asked)
    exam, training = asked[:CASES], asked[CASES:]
    edit = KINDS["2 edits"]
    training += [edit(text, rng) for text in exam if rng.random() < LEAKED]
    cases = [
        (
            "suite/gold/" + str(place),
            "suite",
            Case.model_validate({"id": str(place), "prompt": one}),
        )
        for place, one in enumerate(exam)
    ]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "train.jsonl"
        with path.open("w", encoding="utf-8") as file:
            for text in training:
                turns = [("user", text), ("assistant", f"You asked: {text}")]
                row = {"messages": [{"role": role, "content": one} for role, one in turns]}
                file.write(json.dumps(row) + "\n")
        began, used = time.perf_counter(), time.process_time()
        examples = list(read_conversations(path, "train.jsonl"))
        read = time.perf_counter() - began
        leaked = list(find_leaks(cases, examples, "candidate"))
    span, used = time.perf_counter() - began, time.process_time() - used
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{kind}: {len(examples):,} conversations, {len(cases):,} cases, {len(leaked):,} leaked: "
        f"{span:.1f} s ({read:.1f} s to read), {used:.1f} s of processor time, {memory:.0f} MB"
    )


if __name__ == "__main__":
    main()
