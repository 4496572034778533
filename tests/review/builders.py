"""A small review: what is drawn without a project, and its file."""

from __future__ import annotations

from pathlib import Path

from harness.labels.files import answer_digest
from harness.records.suite import Message
from harness.review.draw import Wanted, assign
from harness.review.items import Draw, Item, ShownAnswer
from harness.review.store import ReviewStore, create
from harness.review.tasks import CORRECT, PREFERRED, grade_questions
from harness.sections.review import TaskName

QUESTIONS = {"label": (CORRECT,), "prefer": (PREFERRED,), "grade": grade_questions(None)}


def item(number: int, task: TaskName = "label", text: str = "It is so.") -> Item:
    targets = ("good", "base") if task == "prefer" else ("good",)
    return Item(
        suite="shop",
        section="gold",
        case=f"g{number}",
        group=f"g{number}",
        messages=(Message(role="user", content=f"What is fact {number}?"),),
        answers=tuple(
            ShownAnswer(target=one, text=f"{text} ({one})", digest=answer_digest(f"{text} ({one})"))
            for one in targets
        ),
        questions=task,
        probability=0.5,
    )


def wanted(task: TaskName = "label", **given: object) -> Wanted:
    usual = {"raters": 2, "again": 0.0, "people": ("anna", "ben")}
    return Wanted(task, "good", "base", **(usual | given))  # type: ignore[arg-type]


def review(
    folder: Path,
    task: TaskName = "label",
    items: int = 4,
    text: str = "It is so.",
    **given: object,
) -> ReviewStore:
    asked = wanted(task, **given)
    draw = Draw(
        task=task,
        candidate="good",
        against="base",
        runs={},
        cases={"shop.gold": "sha256:0"},
        seed=0,
        raters=asked.raters,
        overlap=asked.overlap,
        again=asked.again,
        created="2026-01-01T00:00:00Z",
        questions={task: QUESTIONS[task]},
    )
    found = [item(number, task, text) for number in range(items)]
    return create(folder / "r.sqlite", draw, found, asked.names, assign(items, asked))
