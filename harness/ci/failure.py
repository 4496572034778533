"""What a CI page shows of a gate that came to no verdict."""

from __future__ import annotations

import re

from harness.ci.annotations import Annotation, Place
from harness.ci.comment import link
from harness.report.failure import Failure
from harness.report.plain import MARKS, code, prose

_FILE_AND_LINE = re.compile(r"(?P<file>.+?):(?P<line>\d+)(?:: .*)?")


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
