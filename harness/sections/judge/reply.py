"""What a judge said: its verdict and its reason, read strictly."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from harness.records.attempt import Attempt
from harness.sections.judge.prompt import LONGEST_REASON

_BLOCK = re.compile(r"```(?:json)?[ \t]*\n(.*)\n```", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Vote:
    """A judge's verdict on an answer, in the words that it was offered, and its reason."""

    verdict: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class NoVote:
    """Why a reply is no verdict; `broken` where another time it may be one."""

    why: str
    broken: bool = False


def read_vote(reply: Attempt, verdicts: Sequence[str]) -> Vote | NoVote:
    """The vote in a judge's reply, of which nothing is guessed.

    It is one of the verdicts alone, or one JSON object with just `reason` and `verdict`, which may
    stand in a block of code.
    """
    if reply.failure is not None:
        return NoVote(f"did not answer: {reply.failure.cause}: {reply.failure.detail}", True)
    if reply.state != "ok":
        hint = ": raise its max_tokens" if reply.state == "truncated" else ""
        return NoVote(f"gave no whole answer ({reply.state}){hint}")
    text = (reply.text or "").strip()
    if text in verdicts:
        return Vote(text)
    block = _BLOCK.fullmatch(text)
    try:
        found = json.loads(block[1] if block else text, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        found = None
    verdict, reason = (
        (found["verdict"], found["reason"])
        if isinstance(found, dict) and found.keys() == {"verdict", "reason"}
        else (None, None)
    )
    word = str(verdict) if type(verdict) in (int, str) else ""
    if word not in verdicts or not isinstance(reason, str):
        return NoVote(f"gave a reply that is no verdict: {_plain(text)[:120]!r}")
    return Vote(word, _plain(reason)[:LONGEST_REASON])


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({key for key, _ in pairs}) < len(pairs):
        raise ValueError("a key is there twice")
    return dict(pairs)


def _plain(text: str) -> str:
    """The text on one line; half a surrogate pair, which no file can hold, is replaced."""
    return " ".join(text.encode("utf-8", "replace").decode().split())
