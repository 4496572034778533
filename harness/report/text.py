"""Text from models and cases, made fit to be shown: nothing hidden, nothing active."""

from __future__ import annotations

import hashlib
import re

from harness.report.model import Clip
from harness.visible_text import on_a_line, one_line, visible

__all__ = ["anchor", "clip", "on_a_line", "one_line", "visible"]

_NOT_SLUG = re.compile(r"[^a-z0-9]+")


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
