"""What an answer claims of a case's values: right, wrong, or not to be told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from harness.scorers.answers import doubt
from harness.scorers.answers.expect import GoldExpect, has_words
from harness.scorers.answers.readers import READERS, Held
from harness.scorers.answers.reference import phrase


@dataclass(frozen=True, slots=True)
class Finding:
    """Whether the answer is right, None where the text leaves it open, and why in one sentence."""

    passed: bool | None
    reason: str


def find(answer: str, question: str, expected: GoldExpect) -> Finding:
    """What the answer claims of the values that the case lists.

    Raises:
        SlowPattern: no reference matches, and one pattern took too long.
    """
    reader = READERS[expected.match](answer, question, expected)
    found = _required(reader.held, expected)
    if found.passed is False:
        return found
    for value in expected.not_:
        held = reader.held(value)
        if held.state == "claimed":
            return Finding(False, f"says `{value}`, which makes it wrong: {held.said}")
    others = [value for value in expected.only if not _among(value, expected)]
    for value in others:
        held = reader.held(value)
        if held.state == "claimed":
            return Finding(None, f"claims `{value}` as well, one of which excludes the other")
    if found.passed:
        declined = doubt.declines(reader.clean)
        # A case may expect just that: "not sure", where nobody could be.
        wanted = [value.casefold() for value in expected.answers]
        if declined and not any(value in declined.casefold() for value in wanted):
            return Finding(None, f"declines (`{declined}`) and yet {found.reason}")
    return found


def _required(look: Callable[[str], Held], expected: GoldExpect) -> Finding:
    """The finding by `answers`, any of which is enough, and `all_of`, each of which is needed."""
    open_: Finding | None = None
    said = []
    for value in expected.all_of or ():
        held = look(value)
        if held.state == "absent":
            return Finding(False, f"lacks `{value}` of all that it needs{_colon(held.said)}")
        if held.state == "doubtful":
            open_ = Finding(None, f"`{value}` {held.said}")
        said.append(f"`{value}`")
    if expected.answers:
        found = _any(look, expected)
        if found.passed is not True:
            return found
        said.insert(0, found.reason)
    return open_ or Finding(
        True, said[0] if len(said) == 1 and expected.answers else f"has {', '.join(said)}"
    )


def _any(look: Callable[[str], Held], expected: GoldExpect) -> Finding:
    doubtful = absent = ""
    for value in expected.answers:
        if expected.match != "regex" and not has_words(value):
            continue
        held = look(value)
        if held.state == "claimed":
            return Finding(True, f"matches `{value}` ({expected.match}{_colon(held.said)})")
        if held.state == "doubtful":
            doubtful = doubtful or f"`{value}` {held.said}"
        absent = held.said
    if doubtful:
        return Finding(None, doubtful)
    listing = " or ".join(f"`{value}`" for value in expected.answers[:10])
    return Finding(False, f"{_LACKS[expected.match]} {listing}{'; ' + absent if absent else ''}")


_LACKS = {
    "contains": "does not contain",
    "exact": "is not",
    "regex": "does not match",
    "number": "does not claim",
    "yes_no": "does not say",
    "date": "does not name",
    "time": "does not name",
}


def _colon(said: str) -> str:
    return f": {said}" if said else ""


def _among(value: str, expected: GoldExpect) -> bool:
    """Whether the value is one of those that the answer shall have."""
    wanted = phrase(value).bare
    return any(
        phrase(each).bare == wanted for each in (*expected.answers, *(expected.all_of or ()))
    )
