"""What a rater is asked: an item with one answer or two, and questions with choices."""

from __future__ import annotations

from pydantic import Field

from harness.records.base import Record
from harness.records.suite import Message
from harness.sections.review import Example, Measurement, TaskName

# What a rater chooses who cannot say; why is kept beside it.
CANNOT_TELL = "cannot-tell"
REASONS = {
    "unclear": "the prompt is unclear",
    "knowledge": "I do not know enough about it",
    "unreadable": "the answer cannot be read",
    "other": "another reason (see my comment)",
}


class Choice(Record):
    """One possible reply to a question: its code, and what stands on its button."""

    code: str
    title: str


class Question(Record):
    """What is asked of an item; `values` are the labels that the codes of its choices stand for.

    The preference for a side has no values: what it stands for depends on the side.
    """

    criterion: str
    title: str
    choices: tuple[Choice, ...] = Field(min_length=2)
    values: dict[str, float] = Field(default_factory=dict)
    measurement: Measurement = "nominal"
    instructions: str = ""
    examples: tuple[Example, ...] = ()

    def allows(self, code: str, reason: str) -> bool:
        """Whether a rater can reply so."""
        if code == CANNOT_TELL:
            return reason in REASONS
        return not reason and any(choice.code == code for choice in self.choices)


class ShownAnswer(Record):
    """A stored answer: whose it is, its text, and the digest of the text."""

    target: str
    text: str
    digest: str


class Item(Record):
    """One thing to grade: an answer, or two answers to one prompt.

    `probability` is that with which the case's group was drawn. `reference` is what the case
    expects, as a rater may see it; empty where that would give the reply away.
    """

    suite: str
    section: str
    case: str
    group: str
    repeat: int = 0
    messages: tuple[Message, ...]
    reference: tuple[str, ...] = ()
    answers: tuple[ShownAnswer, ...] = Field(min_length=1, max_length=2)
    questions: str
    probability: float = Field(gt=0.0, le=1.0)


class Draw(Record):
    """What a review is of, as it was drawn once.

    `questions` are by the name that items call them; `cases` has the digest of the cases of each
    section, by its full name.
    """

    task: TaskName
    candidate: str
    against: str | None
    runs: dict[str, str]
    cases: dict[str, str]
    seed: int
    raters: int
    overlap: float
    again: float
    created: str
    questions: dict[str, tuple[Question, ...]]


class Assignment(Record):
    """An item as one rater meets it, at a place of his own order.

    `flipped` shows the second answer on the left. `again` marks an item that the rater has met
    before, which tells how steady he is.
    """

    item: int
    rater: int
    place: int
    flipped: bool = False
    again: bool = False
