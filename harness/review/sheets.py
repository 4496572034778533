"""An item as its page shows it: sides, questions, buttons, and nothing that tells whose it is."""

from __future__ import annotations

from dataclasses import dataclass

from harness.review.items import CANNOT_TELL, REASONS, Draw, Item, Question
from harness.review.stored import Reply, Sheet
from harness.review.tasks import LEFT, RIGHT
from harness.sections.review import Example

_OTHER_SIDE = {LEFT: RIGHT, RIGHT: LEFT}
# Besides the digits, a preference has keys that point to it.
_MORE_KEYS = {"left": "ArrowLeft", "right": "ArrowRight", "tie": "t", "both bad": "b"}


@dataclass(frozen=True, slots=True)
class Button:
    """One reply: what it sends, what stands on it, the keys that press it, and whether it holds."""

    code: str
    title: str
    number: str
    keys: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with its buttons; `active` is the one that keys answer.

    `why_not` are the buttons of a rater who cannot tell, `untold` his reason where he could not.
    """

    criterion: str
    title: str
    instructions: str
    examples: tuple[Example, ...]
    buttons: tuple[Button, ...]
    why_not: tuple[Button, ...]
    untold: str
    active: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """What the page of an item shows besides the conversation."""

    answers: tuple[tuple[str, str], ...]
    asked: tuple[Asked, ...]


def questions_of(item: Item, draw: Draw) -> tuple[Question, ...]:
    """The questions about an item."""
    return draw.questions[item.questions]


def shown(sheet: Sheet, draw: Draw) -> Shown:
    """The answers with their headings as the rater is to see them, and what is asked of them."""
    texts = [answer.text for answer in sheet.item.answers]
    headings = ["Answer"] if len(texts) == 1 else ["Left", "Right"]
    if sheet.flipped:
        texts.reverse()
    questions = questions_of(sheet.item, draw)
    first = next((one.criterion for one in questions if one.criterion not in sheet.replies), "")
    asked = tuple(
        _asked(one, sheet.replies.get(one.criterion), sheet.flipped, one.criterion == first)
        for one in questions
    )
    return Shown(tuple(zip(headings, texts, strict=True)), asked)


def _asked(question: Question, reply: Reply | None, flipped: bool, active: bool) -> Asked:
    chosen = None if reply is None else reply.code
    buttons = []
    for number, choice in enumerate(question.choices, 1):
        code = _OTHER_SIDE.get(choice.code, choice.code) if flipped else choice.code
        label = choice.code if question.values and choice.code.isdigit() else str(number)
        keys = " ".join(filter(None, (label, _MORE_KEYS.get(choice.title, ""))))
        buttons.append(Button(code, choice.title, label, keys, code == chosen))
    untold = reply.reason if reply is not None and reply.code == CANNOT_TELL else ""
    why_not = tuple(
        Button(f"{CANNOT_TELL}:{reason}", words, "", "", reason == untold)
        for reason, words in REASONS.items()
    )
    return Asked(
        *(question.criterion, question.title, question.instructions, question.examples),
        *(tuple(buttons), why_not, REASONS.get(untold, ""), active),
    )
