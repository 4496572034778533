"""What a reviewer would say of a suite: findings that are no errors but weaken its evidence."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One weakness: the section and the ids of its cases, a code, and what to do about it.

    Without cases it is about the whole section, without a section about the whole suite. A
    section's `lint_ignore` names codes.
    """

    section: str
    code: str
    what: str
    cases: tuple[str, ...] = ()
