"""The conversations that show how a link's template and tokenizer turn words into tokens."""

from __future__ import annotations

from harness.records.suite import Message

_WORDS = (
    "Seven blue lamps stood near Zürich's old harbour: 1,234 people, 56.7 % of them naïve, "
    "paid €89 for re-entry; why? Nobody knows."
)
_FILLER = "The lamp is on. "


def _user(text: str) -> Message:
    return Message(role="user", content=text)


# Two that differ in nothing but their words, one with a system message, one of several turns.
TESTS: dict[str, tuple[Message, ...]] = {
    "short": (_user("Hi"),),
    "words": (_user(_WORDS),),
    "system": (Message(role="system", content="You are brief."), _user("Hi")),
    "turns": (_user("Hi"), Message(role="assistant", content="Hello."), _user("Again?")),
    "filler": (_user(_FILLER * 8),),
}


def long_prompt(tokens: int, short: int, filler: int) -> tuple[Message, ...]:
    """A prompt of about so many tokens, by the counts of `short` and `filler`."""
    each = max(1.0, (filler - short) / 8)
    return (_user(_FILLER * max(1, int((tokens - short) / each))),)
