"""What a CI page shows of a gate that came to no verdict."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from harness.report.annotations import Annotation, Place
from harness.report.comment import link
from harness.report.plain import MARKS, code, prose
from harness.report.text import one_line

_FILE_AND_LINE = re.compile(r"(?P<file>.+?):(?P<line>\d+)(?:: .*)?")
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


def render_failure(failure: Failure, url: str) -> str:
    """The summary, and the comment below its marker: the word, why, and what it does not mean."""
    lines = [
        f"### {MARKS['INVALID']} {failure.word}: {' against '.join(map(code, failure.names))}",
        "",
        f"**Why:** {prose(failure.shown)}",
        "",
        f"There is no verdict: nothing is said about the candidate. Exit code {failure.exit_code}.",
        "",
        link(url, "The job's page"),
    ]
    return "\n".join(lines).rstrip() + "\n"


def failure_annotation(failure: Failure, place: Place) -> Annotation:
    """The failure, at a place in the repository."""
    return Annotation(
        level="error",
        name="no verdict",
        title=f"{failure.word}: no verdict",
        text=failure.shown,
        place=place,
    )


def named_place(where: str) -> tuple[str, int | None, str]:
    """File, line and key of what an error names: `a.jsonl:3`, `harness.yaml: gate.rules[1]`."""
    found = _FILE_AND_LINE.fullmatch(where)
    if found is not None:
        return found["file"], int(found["line"]), ""
    file, _, key = where.partition(": ")
    return file, None, key
