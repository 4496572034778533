"""What a judge said: its verdict and its reason, read strictly."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from harness.records.attempt import Attempt
from harness.sections.judge.prompt import LONGEST_REASON

_MOST_OF_IT = 0.5  # probability, below which the tokens that are told say too little
_BLOCK = re.compile(r"```(?:json)?[ \t]*\n(.*)\n```", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Vote:
    """A judge's verdict on an answer, in the words that it was offered, and its reason.

    `chances` has the probability of each verdict, where the server tells; together they are 1.
    """

    verdict: str
    reason: str = ""
    chances: tuple[tuple[str, float], ...] = ()


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
        return Vote(text, chances=_chances(reply.beginnings, verdicts))
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


def _chances(
    beginnings: Sequence[tuple[str, float]], verdicts: Sequence[str]
) -> tuple[tuple[str, float], ...]:
    """The probability of each verdict by its first token; none where one begins several."""
    found = dict.fromkeys(verdicts, 0.0)
    for token, logprob in beginnings:
        begun = [one for one in verdicts if token.strip() and one.startswith(token.strip())]
        if len(begun) > 1:
            return ()
        if begun:
            found[begun[0]] += math.exp(logprob)
    whole = sum(found.values())
    return () if whole < _MOST_OF_IT else tuple((one, p / whole) for one, p in found.items())


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({key for key, _ in pairs}) < len(pairs):
        raise ValueError("a key is there twice")
    return dict(pairs)


def _plain(text: str) -> str:
    """The text on one line; half a surrogate pair, which no file can hold, is replaced."""
    return " ".join(text.encode("utf-8", "replace").decode().split())
