"""Text of models and people in Markdown, where none of it may become active."""

from __future__ import annotations

import re

MARKS = {
    "PROMOTE": "✅",
    "BLOCK": "❌",
    "INCONCLUSIVE": "❔",
    "INVALID": "⚠️",
    "pass": "✅",
    "fail": "❌",
    "inconclusive": "❔",
    "invalid": "⚠️",
}
_RUNS = re.compile("`+")
_PUNCTUATION = re.compile(r"([\\`*_{}\[\]()#+\-.!|~>=:$^])")
# A zero-width space stops what a site makes of plain text: mentions, references, bare links.
_ACTIVE = re.compile(r"@|#(?=\w)|:(?=//)|(?i:\bwww)(?=\.)|(?i:\bgh)(?=-\d)")


def fence(text: str, limit: int, more: str = "") -> str:
    """The text in a code block that it cannot close, cut after `limit` characters."""
    cut = f"\n… {len(text) - limit:,} characters more" if len(text) > limit else ""
    if more:
        cut = "\n… cut, the whole is in the run's attempts"
    shown = text[:limit]
    bars = "`" * max(3, 1 + max((len(run) for run in _RUNS.findall(shown)), default=0))
    return f"{bars}text\n{shown}{cut}\n{bars}"


def code(text: str) -> str:
    """The text as a code span on one line."""
    flat = " ".join(text.split()) or " "
    bars = "`" * (1 + max((len(run) for run in _RUNS.findall(flat)), default=0))
    pad = " " if "`" in flat else ""
    return f"{bars}{pad}{flat}{pad}{bars}"


def cell(text: str) -> str:
    """The text as a code span that stays within a table's cell."""
    return code(text).replace("|", "\\|")


def prose(text: str) -> str:
    """The text as plain words: no markup, no HTML, no mention, no link comes alive."""
    flat = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;")
    quiet = _ACTIVE.sub(lambda found: f"{found.group()}\u200b", flat)
    return _PUNCTUATION.sub(_escape, quiet)


def _escape(found: re.Match[str]) -> str:
    # What has no meaning within a line stays readable in the raw text.
    mark, at = found.group(), found.start()
    harmless = mark in ".-+=:()!>" and at > 0 and found.string[at - 1 : at] not in ("]", "<")
    return mark if harmless else f"\\{mark}"
