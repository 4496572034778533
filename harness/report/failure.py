"""A gate that came to no verdict, as its files show it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from harness.report.text import one_line

_TEXT = 2_000


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a gate came to no verdict.

    `word` is INVALID where the evidence cannot be trusted, INTERRUPTED where somebody stopped it,
    else ERROR; `where` is the file, or file and line, that the error names, empty if it names none.
    `baseline` is empty where not even that was known.
    """

    word: Literal["INVALID", "ERROR", "INTERRUPTED"]
    candidate: str
    baseline: str
    line: str
    where: str
    exit_code: int
    stamp: str

    @property
    def title(self) -> str:
        """Who was to be judged against whom, for a page without markup."""
        return " against ".join(self.names)

    @property
    def names(self) -> tuple[str, ...]:
        """The candidate, and the baseline where it is known."""
        return tuple(one_line(name, 80) for name in (self.candidate, self.baseline) if name)

    @property
    def shown(self) -> str:
        """The one line that says why, fit to be shown."""
        return one_line(self.line, _TEXT)
