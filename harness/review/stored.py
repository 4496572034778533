"""What a review's file holds of raters, of what they see, and of what they said."""

from __future__ import annotations

from dataclasses import dataclass

from harness.review.items import Item


@dataclass(frozen=True, slots=True)
class Rater:
    """A person who grades: the secret of his link, and the device that used it last.

    `seen` is when that was, in seconds since the epoch.
    """

    id: int
    name: str
    secret: str
    device: str | None
    seen: float


@dataclass(frozen=True, slots=True)
class Reply:
    """What stands as the reply to one question, with the number of the choice."""

    id: int
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """An item as a rater sees it, with what he has said of it so far."""

    id: int
    rater: int
    item: Item
    place: int
    flipped: bool
    replies: dict[str, Reply]
    comment: str
    flagged: bool
    done: bool


@dataclass(frozen=True, slots=True)
class Progress:
    """How many items a rater has done of all of his, and about how many seconds are left.

    `seconds_left` is None until there is something to go by; `last` is the newest choice, which
    undoing takes back.
    """

    done: int
    total: int
    seconds_left: float | None
    last: int | None


@dataclass(frozen=True, slots=True)
class Given:
    """One standing reply of all that were given, with the item that it is about."""

    rater: str
    item: int
    flipped: bool
    again: bool
    criterion: str
    code: str
    reason: str
    at: str
    comment: str
    flagged: bool


@dataclass(frozen=True, slots=True)
class Assigned:
    """An item by its number as one rater is to grade it, with what he has said so far."""

    rater: int
    number: int
    again: bool
    sheet: Sheet


@dataclass(frozen=True, slots=True)
class Addition:
    """A reply that was given elsewhere, one of the `wanted` that make its sheet done.

    `at` is the time as text, `moment` in seconds since the epoch.
    """

    sheet: Sheet
    criterion: str
    code: str
    reason: str
    at: str
    moment: float
    comment: str
    wanted: int
