"""Thinking that a model wrote into its answer, told apart from the answer."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

# The marks that open-weight reasoning models and their chat templates use.
USUAL_TAGS = (
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<thought>", "</thought>"),
    ("<reasoning>", "</reasoning>"),
    ("<seed:think>", "</seed:think>"),
    ("[THINK]", "[/THINK]"),
    ("◁think▷", "◁/think▷"),
    ("<|begin_of_thought|>", "<|end_of_thought|>"),
)
# The channels of OpenAI's harmony format: only `final` is the answer. A header is short and holds
# no other mark, or a text without a message would be searched to its end from every mark.
_MARK = r"<\|(?:start|channel|end|return|call)\|>"
_CHANNEL = re.compile(
    rf"<\|channel\|>\s*+(\w++)(?:(?!{_MARK}).){{0,500}}?<\|message\|>(.*?)(?={_MARK}|\Z)",
    re.DOTALL,
)
# The same where the server left its special tokens out.
_BARE_CHANNELS = re.compile(r"analysis(?P<thinking>.*?)assistantfinal(?P<answer>.*)\Z", re.DOTALL)


class Told(NamedTuple):
    """An answer and the thinking told apart in one text.

    `begins` is where in the text the first character of the answer stands that is no blank, None
    where there is none; `marked` says that marks of thinking stand in it.
    """

    answer: str
    thinking: str
    begins: int | None
    marked: bool


def split_thinking(text: str, tags: Sequence[tuple[str, str]] = ()) -> tuple[str, str]:
    """The answer and the thinking in a text, as `tell_apart` finds them."""
    return tell_apart(text, tags)[:2]


def tell_apart(text: str, tags: Sequence[tuple[str, str]] = ()) -> Told:
    """The answer and the thinking in a text; the answer is the text where there is none of it.

    Thinking stands between two tags, before a closing tag that nothing opened (the template did),
    or after an opening one that nothing closes. An opening tag counts at the beginning of a line
    alone, a closing one unless it is quoted, so that an answer may speak of tags. `tags` are
    further pairs besides the usual ones.
    """
    if "<|channel|>" in text:
        return _by_channel(text)
    if text.startswith("analysis") and (bare := _BARE_CHANNELS.match(text)):
        begins = _first(text, [bare.span("answer")])
        return Told(bare["answer"].strip(), bare["thinking"].strip(), begins, marked=True)
    kept, left = text, [(0, len(text))]
    thoughts: list[str] = []
    for opening, closing in (*tags, *USUAL_TAGS):
        if opening in kept or closing in kept:
            spans = _outside(kept, opening, closing, thoughts)
            left = _in_the_text(left, spans)
            kept = "".join(kept[start:end] for start, end in spans)
    if not thoughts:
        return Told(text, "", _first(text, left), marked=False)
    return Told(kept.strip(), "\n".join(filter(None, thoughts)), _first(text, left), marked=True)


def first_of_answer(pieces: Sequence[str], told: Told) -> int | None:
    """Which piece of a text that came in pieces brought the first of the answer, counted from 0.

    It is known once the text is whole: a closing tag makes thinking of all that came before it.
    """
    if told.begins is None:
        return None
    return bisect_right(list(accumulate(map(len, pieces))), told.begins)


def _by_channel(text: str) -> Told:
    parts = list(_CHANNEL.finditer(text))
    final = [part for part in parts if part[1] == "final"]
    thinking = [part[2].strip() for part in parts if part[1] != "final"]
    answer = "\n".join(part[2].strip() for part in final)
    begins = _first(text, [part.span(2) for part in final])
    return Told(answer, "\n".join(thinking), begins, marked=True)


def _first(text: str, spans: Sequence[tuple[int, int]]) -> int | None:
    """The place of the first character within the spans that is no blank."""
    for start, end in spans:
        blank = end - start - len(text[start:end].lstrip())
        if start + blank < end:
            return start + blank
    return None


def _in_the_text(
    left: Sequence[tuple[int, int]], spans: Sequence[tuple[int, int]]
) -> list[tuple[int, int]]:
    """Spans of what is left of a text as spans of the text itself; both in order."""
    found, before, place = [], 0, 0
    for start, end in left:
        after, shift = before + end - start, start - before
        while place < len(spans) and spans[place][0] < after:
            one, other = spans[place]
            if other > before:
                found.append((max(one, before) + shift, min(other, after) + shift))
            if other > after:
                break  # its rest is in what is left next
            place += 1
        before = after
    return found


def _outside(text: str, opening: str, closing: str, thoughts: list[str]) -> list[tuple[int, int]]:
    """The spans of the text that are not between the tags; what is, is added to the thoughts."""
    begins = re.compile(rf"^[ \t]*{re.escape(opening)}", re.MULTILINE)
    ends = re.compile(rf"(?<![`'\"“]){re.escape(closing)}(?![`'\"”])")
    kept, at = [], 0
    start, end = begins.search(text), ends.search(text)
    if end is not None and (start is None or end.start() < start.start()):
        thoughts.append(text[: end.start()].strip())
        at = end.end()
    while (start := begins.search(text, at)) is not None:
        kept.append((at, start.start()))
        end = ends.search(text, start.end())
        thoughts.append(text[start.end() : len(text) if end is None else end.start()].strip())
        at = len(text) if end is None else end.end()
    return [*kept, (at, len(text))]
