"""What the page on training data shows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from harness.data.lint.linter import LintedData
from harness.records.finding import Finding
from harness.records.suite import counted

SHOWN = 200  # findings of one code on the page


@dataclass(frozen=True, slots=True)
class CodeFindings:
    """The findings of one code: how many there are, and the first of them."""

    code: str
    level: str
    count: int
    first: Sequence[Finding]


@dataclass(frozen=True, slots=True)
class DataContent:
    """The page's parts; `codes` begin with errors."""

    files: tuple[str, ...]
    conversations: int
    errors: int
    conclusion: str
    facts: Sequence[tuple[str, str]]
    codes: Sequence[CodeFindings]
    accepted: Sequence[tuple[str, int]]


def data_content(done: LintedData) -> DataContent:
    """The page of a linting."""
    by_code: defaultdict[str, list[Finding]] = defaultdict(list)
    for finding in done.findings:
        by_code[finding.code].append(finding)
    codes = [
        CodeFindings(code, found[0].level, done.counts[code], found[:SHOWN])
        for code, found in by_code.items()
    ]
    return DataContent(
        files=done.files,
        conversations=done.conversations,
        errors=done.errors,
        conclusion=data_conclusion(done),
        facts=done.facts,
        codes=codes,
        accepted=sorted(done.accepted.items()),
    )


def data_conclusion(done: LintedData) -> str:
    """One sentence: how many conversations there are, and how many errors and warnings."""
    warnings = done.counts.total() - done.errors
    return (
        f"{counted(done.conversations, 'conversation')}: {counted(done.errors, 'error')}, "
        f"{counted(warnings, 'warning')}"
    )
