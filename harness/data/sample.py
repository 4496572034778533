"""A question and what is known of its answer, in whatever form it was written down."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from warnings import catch_warnings, simplefilter

from harness.records.suite import Case, Message
from harness.training.data_files import Conversation, Pair

# As spreadsheets show what they took for a date, and numbers with more digits than they hold.
_REFORMATTED = re.compile(
    r"\d{1,2}-(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)(?:-\d{2,4})?"
    r"|(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)-\d{2}"
    r"|\d{4}-\d{2}-\d{2} 00:00:00|\d[.,]\d+E\+\d{2}"
)


def is_reformatted(text: str) -> bool:
    """Whether a whole text is a date or a number in a form that spreadsheets change others into."""
    return _REFORMATTED.fullmatch(text.strip()) is not None


@dataclass(frozen=True, slots=True)
class Sample:
    """One question with what a form has about it.

    `messages` end with the user's turn. `answers` are good ones, any of which is right; training
    learns the first. `expect` is what a case expects where the form says more than answers. `lost`
    names what the form holds and a sample cannot.
    """

    messages: tuple[Message, ...]
    answers: tuple[str, ...] = ()
    rejected: str | None = None
    expect: Mapping[str, Any] = field(default_factory=dict)
    id: str | None = None
    group: str | None = None
    tags: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()

    @property
    def question(self) -> str:
        """The user's last turn."""
        return self.messages[-1].content

    @property
    def system(self) -> str | None:
        """The system prompt, where there is one."""
        first = self.messages[0]
        return first.content if first.role == "system" else None

    def case(self, key: str) -> Case:
        """The case of this sample; `key` is its id where the form has none.

        Raises:
            ValueError: nothing is known of the answer.
        """
        expect = dict(self.expect) or ({"answers": list(self.answers)} if self.answers else {})
        if not expect:
            raise ValueError("has no answer, and no other expectation")
        return Case(
            id=self.id or key,
            group=self.group or self.id or key,
            messages=self.messages,
            expect=expect,
            tags=self.tags,
        )

    def conversation(self, key: str) -> Conversation:
        """The training conversation; `key` is its group where the form has none.

        Raises:
            ValueError: there is no answer to learn.
        """
        answer = Message(role="assistant", content=self._answer())
        return Conversation(group=self.group or key, messages=(*self.messages, answer))

    def pair(self, key: str) -> Pair:
        """The pair of a preferred and a rejected answer; `key` is its group where it has none.

        Raises:
            ValueError: one of the two is missing, or they are the same.
        """
        chosen, rejected = self._answer(), self.rejected
        if rejected is None:
            raise ValueError("has no rejected answer")
        if chosen.strip() == rejected.strip():
            raise ValueError("the preferred and the rejected answer are the same")
        return Pair(
            group=self.group or key,
            messages=(*self.messages, Message(role="assistant", content=chosen)),
            rejected=Message(role="assistant", content=rejected),
        )

    def _answer(self) -> str:
        if not self.answers:
            raise ValueError("has no answer")
        return self.answers[0]


def turns(given: Any, key: str = "messages") -> tuple[Message, ...]:
    """The turns of a list of `{role, content}`, with what a text-only chat can hold.

    A text alone is one turn of the user. Content may be a list of text parts.

    Raises:
        ValueError: another role, a call of a tool, content that is no text, or no turn.
    """
    if given is None or given == "":
        raise ValueError(f"{key}: is empty")
    if isinstance(given, str):
        given = [{"role": "user", "content": given}]
    if not isinstance(given, Sequence) or not given:
        raise ValueError(f"{key}: must be a list of turns")
    found = []
    for place, turn in enumerate(given):
        where = f"{key}[{place}]"
        if not isinstance(turn, Mapping):
            raise ValueError(f"{where}: must have `role` and `content`")
        if turn.get("tool_calls") or turn.get("function_call"):
            raise ValueError(f"{where}: calls a tool, which a text conversation cannot hold")
        role = {"developer": "system"}.get(str(turn.get("role")), turn.get("role"))
        if role not in ("system", "user", "assistant"):
            raise ValueError(f"{where}: the role must be system, user or assistant")
        found.append(Message(role=role, content=text_of(turn.get("content"), f"{where}.content")))
    return tuple(found)


def split(messages: Sequence[Message], key: str = "messages") -> tuple[tuple[Message, ...], str]:
    """The turns before the last answer, and that answer.

    Raises:
        ValueError: the last turn is not the assistant's, or none of the user's is before it.
    """
    if not messages or messages[-1].role != "assistant":
        raise ValueError(f"{key}: the last turn must be the assistant's")
    return asked(messages[:-1], key), messages[-1].content


def asked(messages: Sequence[Message], key: str = "messages") -> tuple[Message, ...]:
    """The turns, which end with the user's.

    Raises:
        ValueError: they do not.
    """
    if not messages or messages[-1].role != "user":
        raise ValueError(f"{key}: the last turn before the answer must be the user's")
    return tuple(messages)


def text_of(value: Any, key: str) -> str:
    """A text, or the texts of content parts put together.

    Raises:
        ValueError: anything else, or nothing in it.
    """
    if isinstance(value, Sequence) and not isinstance(value, str):
        parts = [part for part in value if isinstance(part, Mapping)]
        if len(parts) != len(value) or any(part.get("type") != "text" for part in parts):
            raise ValueError(f"{key}: holds a part that is no text")
        value = "".join(str(part.get("text", "")) for part in parts)
    if value is None or value == "":
        raise ValueError(f"{key}: is missing or empty")
    if not isinstance(value, str):
        raise ValueError(f"{key}: is {kind_of(value)}, and must be text")
    if not value.strip():
        raise ValueError(f"{key}: is blank")
    return value


def kind_of(value: Any) -> str:
    """What a value is, in words for people."""
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, list | tuple):
        return "a list"
    return f"a {type(value).__name__}"  # a date of a spreadsheet, bytes of a database


def texts_of(value: Any, key: str) -> tuple[str, ...]:
    """One text, or each of a list of them.

    Raises:
        ValueError: anything else, or an empty list.
    """
    if isinstance(value, str):
        return (text_of(value, key),)
    if not isinstance(value, Sequence) or not value:
        raise ValueError(f"{key}: must be a text or a list of texts")
    return tuple(text_of(one, f"{key}[{place}]") for place, one in enumerate(value))


def message(role: Any, content: str) -> dict[str, str]:
    """A turn as most forms write it."""
    return {"role": str(role), "content": content}


def messages_of(turns_: Iterable[Message]) -> list[dict[str, str]]:
    """Turns as most forms write them."""
    return [message(turn.role, turn.content) for turn in turns_]


def parsed(value: Any) -> Any:
    """The value of a JSON text, for forms that keep objects as text; any other value as it is.

    An object as Python shows it is read too: so pandas writes one into a cell of a CSV file.
    """
    if isinstance(value, str) and value[:1] in ("{", "[", '"'):
        with suppress(ValueError, RecursionError):
            return json.loads(value)
        if value.startswith(("{'", "[{'")):
            with suppress(ValueError, SyntaxError, RecursionError, MemoryError), catch_warnings():
                simplefilter("ignore")  # of backslashes that mean nothing
                return ast.literal_eval(value)
    return value


def leftover(row: Mapping[str, Any], known: Iterable[str]) -> tuple[str, ...]:
    """The keys of a row that hold something and that nothing has read."""
    read = set(known)
    return tuple(
        str(key)
        for key, value in row.items()
        if key not in read and value not in (None, "", [], {})
    )
