"""Thinking that a model wrote into its answer, told apart from the answer."""

from __future__ import annotations

import re
from collections.abc import Sequence

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


def split_thinking(text: str, tags: Sequence[tuple[str, str]] = ()) -> tuple[str, str]:
    """The answer and the thinking in a text; both empty-handed where there is none of it.

    Thinking stands between two tags, before a closing tag that nothing opened (the template did),
    or after an opening one that nothing closes. An opening tag counts at the beginning of a line
    alone, a closing one unless it is quoted, so that an answer may speak of tags. `tags` are
    further pairs besides the usual ones.
    """
    if "<|channel|>" in text:
        return _by_channel(text)
    if text.startswith("analysis") and (bare := _BARE_CHANNELS.match(text)):
        return bare["answer"].strip(), bare["thinking"].strip()
    thoughts: list[str] = []
    for opening, closing in (*tags, *USUAL_TAGS):
        if opening in text or closing in text:
            text = _cut(text, opening, closing, thoughts)
    return (text.strip() if thoughts else text), "\n".join(filter(None, thoughts))


def _by_channel(text: str) -> tuple[str, str]:
    parts = _CHANNEL.findall(text)
    answer = [words.strip() for channel, words in parts if channel == "final"]
    thinking = [words.strip() for channel, words in parts if channel != "final"]
    return "\n".join(answer), "\n".join(thinking)


def _cut(text: str, opening: str, closing: str, thoughts: list[str]) -> str:
    """The text without what stands between the tags, which is added to the thoughts."""
    begins = re.compile(rf"^[ \t]*{re.escape(opening)}", re.MULTILINE)
    ends = re.compile(rf"(?<![`'\"“]){re.escape(closing)}(?![`'\"”])")
    kept, at = [], 0
    start, end = begins.search(text), ends.search(text)
    if end is not None and (start is None or end.start() < start.start()):
        thoughts.append(text[: end.start()].strip())
        at = end.end()
    while (start := begins.search(text, at)) is not None:
        kept.append(text[at : start.start()])
        end = ends.search(text, start.end())
        thoughts.append(text[start.end() : len(text) if end is None else end.start()].strip())
        at = len(text) if end is None else end.end()
    return "".join([*kept, text[at:]])
