"""Safe text of models and people: invisible characters named, no active Markdown."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from harness.visible_text import visible

_NOT_SLUG = re.compile(r"[^a-z0-9]+")
_RUNS = re.compile("`+")
_PUNCTUATION = re.compile(r"([\\`*_{}\[\]()#+\-.!|~>=:$^])")
# A zero-width space stops what a site makes of plain text: mentions, references, bare links.
_ACTIVE = re.compile(r"@|#(?=\w)|:(?=//)|(?i:\bwww)(?=\.)|(?i:\bgh)(?=-\d)")
MARKS = {
    "PROMOTE": "✅", "BLOCK": "❌", "INCONCLUSIVE": "❔", "INVALID": "⚠️",
    "pass": "✅", "fail": "❌", "inconclusive": "❔", "invalid": "⚠️",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Clip:
    """A text, cut where `more` is not empty; `more` says how much is left out."""

    text: str
    more: str = ""


def clip(text: str, limit: int) -> Clip:
    """The visible text, whole if it has at most `limit` characters."""
    if len(text) <= limit:
        return Clip(visible(text))
    return Clip(visible(text[:limit]), f"{len(text) - limit:,} characters more")


def anchor(path: str, repeat: int) -> str:
    """An id for a page, the same in every report of this case: a readable part and a hash."""
    slug = _NOT_SLUG.sub("-", path.lower()[:200]).strip("-")[:48].strip("-")
    name = f"{path}\x00{repeat}".encode("utf-8", "surrogatepass")
    return f"case-{slug}-{hashlib.sha256(name).hexdigest()[:10]}"


class Escaped(str):
    """Text that is Markdown already, in which nothing of anybody else is active."""

    __slots__ = ()


def fence(text: str, limit: int, more: str = "") -> Escaped:
    """The text in a code block that it cannot close, cut after `limit` characters."""
    cut = f"\n… {len(text) - limit:,} characters more" if len(text) > limit else ""
    if more:
        cut = "\n… cut, the whole is in the run's attempts"
    kept = text[:limit]
    bars = "`" * max(3, 1 + max((len(run) for run in _RUNS.findall(kept)), default=0))
    return Escaped(f"{bars}text\n{kept}{cut}\n{bars}")


def code(text: str) -> Escaped:
    """The text as a code span on one line."""
    flat = " ".join(text.split()) or " "
    bars = "`" * (1 + max((len(run) for run in _RUNS.findall(flat)), default=0))
    pad = " " if "`" in flat else ""
    return Escaped(f"{bars}{pad}{flat}{pad}{bars}")


def cell(text: str) -> Escaped:
    """The text as a code span that stays within a table's cell."""
    return Escaped(code(text).replace("|", "\\|"))


def escape_prose(text: str) -> Escaped:
    """The text as plain words: no markup, no HTML, no mention, no link is active."""
    flat = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;")
    quiet = _ACTIVE.sub(lambda found: f"{found.group()}\u200b", flat)
    return Escaped(_PUNCTUATION.sub(_escape, quiet))


def _escape(found: re.Match[str]) -> str:
    # What has no meaning within a line stays readable in the raw text.
    mark, at = found.group(), found.start()
    harmless = mark in ".-+=:()!>" and at > 0 and found.string[at - 1 : at] not in ("]", "<")
    return mark if harmless else f"\\{mark}"
