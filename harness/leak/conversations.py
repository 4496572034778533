"""Training files in the forms that trainers read, as what users say and what is answered."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import UsageError
from harness.files import open_regular

_ROLES = {
    "human": "user", "user": "user", "gpt": "assistant", "assistant": "assistant",
    "model": "assistant", "chatgpt": "assistant", "bot": "assistant", "function_call": "assistant",
    "system": "system", "developer": "system",
    "tool": "tool", "function": "tool", "observation": "tool",
}  # fmt: skip
_CONVERSATIONS = ("messages", "conversations", "conversation", "turns")
_QUESTIONS = ("prompt", "question", "query", "input", "text")
_ANSWERS = ("completion", "chosen", "rejected", "response", "output", "answer")
_HINT = (
    "a line holds `messages`, `conversations`, `prompt` with `completion` or `chosen` and "
    "`rejected`, `instruction` with `output`, `question` with `answer`, or `text`"
)


@dataclass(frozen=True, slots=True)
class Trained:
    """One training example: its place, what users say, and what stands behind each as an answer.

    `answers` has as many texts as `asked`, empty where nothing is answered there.
    """

    place: str
    asked: tuple[str, ...]
    answers: tuple[str, ...]


def of_turns(place: str, turns: Iterable[tuple[str, str]]) -> Trained:
    """The example of turns with their roles; what is neither the user's nor an answer is left."""
    asked: list[str] = []
    answers: list[str] = []
    for role, text in turns:
        if role == "user":
            asked.append(text)
            answers.append("")
        elif role == "assistant":
            if not asked:
                asked.append("")
                answers.append("")
            answers[-1] = f"{answers[-1]}\n{text}" if answers[-1] else text
    return Trained(place, tuple(asked), tuple(answers))


def read_conversations(path: Path, name: str) -> Iterator[Trained]:
    """Each example of a file of JSON lines, or of one JSON list, with its file and line.

    Raises:
        UsageError: the file cannot be read, or a line is no training example.
    """
    try:
        with open_regular(path) as lines:
            first = lines.peek(64).removeprefix(b"\xef\xbb\xbf").lstrip()
            if first.startswith(b"["):
                yield from _of_list(lines.read(), name)
                return
            for number, line in enumerate(lines, start=1):
                text = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
                if text.strip():
                    yield _example(text, f"{name}:{number}")
    except OSError as error:
        raise UsageError(f"cannot read: {error.strerror}", where=name) from None


def _of_list(data: bytes, name: str) -> Iterator[Trained]:
    rows = _parsed(data, name)
    for number, row in enumerate(rows, start=1):
        yield _trained(row, f"{name}[{number}]")


def _example(line: bytes, place: str) -> Trained:
    return _trained(_parsed(line, place), place)


def _parsed(data: bytes, place: str) -> Any:
    try:
        return json.loads(data)
    except UnicodeDecodeError:
        raise UsageError("not UTF-8", where=place, hint="save the file as UTF-8") from None
    except (ValueError, RecursionError) as error:
        what = getattr(error, "msg", "nested too deeply")
        raise UsageError(f"not JSON: {what}", where=place, hint=_HINT) from None


def _trained(row: Any, place: str) -> Trained:
    turns = list(turns_of(row)) if isinstance(row, dict) else []
    if not any(role == "user" and text for role, text in turns):
        raise UsageError("is no training example that asks anything", where=place, hint=_HINT)
    return of_turns(place, turns)


def turns_of(row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The role and the text of each turn of a row in any form that trainers read.

    Roles have one name in all forms; one that is not known is empty. A turn that calls tools
    without saying anything has the calls as its text.
    """
    whole = next((row[key] for key in _CONVERSATIONS if isinstance(row.get(key), list)), None)
    if whole is not None:
        yield from _messages(whole)
        return
    if isinstance(row.get("system"), str) and row["system"]:
        yield "system", row["system"]
    asked = list(_asked(row))
    yield from asked
    for key in _ANSWERS:
        if isinstance(row.get(key), str):
            yield "assistant", row[key]
        elif isinstance(row.get(key), list):
            # Without a prompt of its own, it is within both conversations.
            turns = _messages(row[key])
            yield from turns if not asked else (one for one in turns if one[0] == "assistant")


def _asked(row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What is asked, in the forms that keep it apart from the answer."""
    if isinstance(row.get("prompt"), list):
        yield from _messages(row["prompt"])
    elif isinstance(row.get("instruction"), str):
        for pair in row.get("history") or ():
            if isinstance(pair, list) and len(pair) == 2:
                yield "user", str(pair[0])
                yield "assistant", str(pair[1])
        given = (row["instruction"], row.get("input"))
        yield "user", "\n".join(part for part in given if isinstance(part, str) and part)
    else:
        texts = (row[key] for key in _QUESTIONS if isinstance(row.get(key), str))
        yield from (("user", text) for text in [*texts][:1])


def _messages(turns: list[Any]) -> Iterator[tuple[str, str]]:
    for turn in turns:
        if isinstance(turn, dict):
            role = _ROLES.get(str(turn.get("role", turn.get("from"))), "")
            text = _content(turn.get("content", turn.get("value")))
            calls = turn.get("tool_calls")
            yield role, text or (json.dumps(calls) if calls else "")


def _content(content: Any) -> str:
    if isinstance(content, list):  # parts, of which pictures have no text
        parts = (part.get("text") for part in content if isinstance(part, dict))
        return "\n".join(part for part in parts if isinstance(part, str))
    return content if isinstance(content, str) else ""
