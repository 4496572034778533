"""Make invisible characters visible in text from models, cases and other programs."""

from __future__ import annotations

import re

# What a reader cannot see or what reorders what he sees: control characters but tab and line
# feed, zero-width and bidirectional controls, line and paragraph separators, lone surrogates,
# tag characters, noncharacters. The joiners U+200C and U+200D stay: scripts and emoji need them.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e"
    "\u200f\u2028-\u202e\u2060-\u206f\u3164\ud800-\udfff\ufdd0-\ufdef\ufeff\uffa0\ufff9-\ufffb"
    "\ufffe\uffff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
    "\U0001fffe\U0001ffff\U0002fffe\U0002ffff\U0003fffe\U0003ffff\U0004fffe\U0004ffff"
    "\U0005fffe\U0005ffff\U0006fffe\U0006ffff\U0007fffe\U0007ffff\U0008fffe\U0008ffff"
    "\U0009fffe\U0009ffff\U000afffe\U000affff\U000bfffe\U000bffff\U000cfffe\U000cffff"
    "\U000dfffe\U000dffff\U000efffe\U000effff\U000ffffe\U000fffff\U0010fffe\U0010ffff]"
)


def _show(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\u2421"
    name = f"⟨U+{code:04X}⟩"
    return f"{name}\n" if code in (0x2028, 0x2029) else name


def visible(text: str) -> str:
    """The text with every invisible or reordering character replaced by a visible name for it."""
    return _HIDDEN.sub(_show, text.replace("\r\n", "\n"))


def one_line(text: str, limit: int = 0) -> str:
    """The visible text on one line, cut after `limit` characters where a limit is given."""
    line = " ".join(visible(text[: 4 * limit] if limit else text).split())
    if limit and (len(line) > limit or len(text) > 4 * limit):
        return f"{line[: limit - 1].rstrip()}…"
    return line


def on_a_line(text: str, limit: int = 0) -> str:
    """The text on one line as `one_line` has it, with nothing that a CI runner takes for a command.

    That is `##[` anywhere; what begins with `::` the caller keeps from the line's beginning.
    """
    return one_line(text, limit).replace("##[", "## [")
