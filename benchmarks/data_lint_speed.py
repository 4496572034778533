"""Seconds and memory of `harness data` on 100,000 conversations, the file included."""

from __future__ import annotations

import json
import random
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.leak_speed import open_questions
from benchmarks.leak_texts import bank_questions
from harness.data.lint.linter import lint_files

CONVERSATIONS = 100_000
SENTENCES = (
    "Open the app and choose the card that you want to change.",
    "A transfer within the country arrives on the same day if it is sent before {0} o'clock.",
    "There is no fee for it, and nothing else has to be done.",
    "If you do not see it there, ask us again and name order {1} in the message.",
    "We are sorry that this was not clear; our team in the branch will help you with the form.",
    "The limit is {0},000 euros a month, and you can ask for another one at any time.",
    "Please keep the letter that you get: the code in it cannot be sent a second time.",
    "Refunds reach the account within {0} working days after the shop has confirmed them.",
)
REFUSAL = "I'm sorry, but I can't help with that. I can only answer questions about your account."


def conversations(rng: random.Random) -> Iterator[dict[str, object]]:
    """Half of the questions are of templates, half are open; one answer in 20 refuses."""
    bank = bank_questions(rng, CONVERSATIONS // 2)
    asked = [*bank, *open_questions(rng, CONVERSATIONS - len(bank))]
    rng.shuffle(asked)
    for number, question in enumerate(asked):
        parts = rng.sample(SENTENCES, rng.randint(2, 6))
        answer = " ".join(parts).format(rng.randint(2, 19), number)
        if rng.random() < 0.05:
            answer = REFUSAL
        if rng.random() < 0.01:
            question = f"{question} Write to user{number}@mail.example."
        turns = [("user", question), ("assistant", answer)]
        yield {"messages": [{"role": role, "content": text} for role, text in turns]}


def main() -> None:
    """Print the time, the largest memory, and what was found."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(folder) / "train.jsonl"
        if len(sys.argv) < 2:
            with path.open("w", encoding="utf-8") as file:
                file.writelines(json.dumps(row) + "\n" for row in conversations(random.Random(0)))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        began, used = time.perf_counter(), time.process_time()
        done = lint_files([path])
        span, used = time.perf_counter() - began, time.process_time() - used
        size = path.stat().st_size / 1024**2
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{done.conversations:,} conversations, {size:.0f} MB: {span:.1f} s, {used:.1f} s of "
        f"processor time, {memory:.0f} MB ({before:.0f} MB before)"
    )
    for code, count in done.counts.most_common():
        print(f"  {code}: {count:,}")


if __name__ == "__main__":
    main()
