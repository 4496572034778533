"""What a reviewer would say of a suite or of training data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["error", "warning"]


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One weakness: the section and the ids of its cases, a code, and what to do about it.

    Without cases it is about the whole section, without a section about the whole suite. A
    section's `lint_ignore` names codes. Of training data the section is empty, and the cases are
    the places of conversations, file and line. An `error` must not be trained on.
    """

    section: str
    code: str
    what: str
    cases: tuple[str, ...] = ()
    level: Level = "warning"
