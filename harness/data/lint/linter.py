"""All checks over all rows of training files, read once as a stream."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.data.lint.check import CheckSettings, Inspection, checks
from harness.data.lint.pairs import Compared
from harness.data.lint.row import DataRow, Unreadable, read_data_rows
from harness.errors import UsageError
from harness.personal_data import Redactor
from harness.records.finding import Finding

MOST_KEPT = 2_000  # findings of one code; the others are counted


@dataclass(slots=True)
class LintedData:
    """What is said of training files: findings, errors first, and what describes the data.

    `counts` has every finding by code, also those beyond the `MOST_KEPT` of a code that are kept.
    `accepted` counts those whose code was accepted, which are not among the findings.
    """

    files: tuple[str, ...]
    conversations: int = 0
    findings: list[Finding] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    errors: int = 0
    accepted: Counter[str] = field(default_factory=Counter)
    facts: list[tuple[str, str]] = field(default_factory=list)


def lint_files(
    files: Sequence[Path],
    settings: CheckSettings | None = None,
    *,
    accept: Iterable[str] = (),
    encoding: str = "utf-8",
) -> LintedData:
    """What the checks say of the files' conversations.

    Raises:
        UsageError: a file cannot be read, or there is no row in any.
    """
    given = CheckSettings() if settings is None else settings
    registry = checks()
    inspections = [registry.get(name).begin(given) for name in registry.names()]
    done = LintedData(tuple(map(str, files)))
    taken = frozenset(accept)
    compared = Compared()
    for row in read_data_rows(files, encoding):
        done.conversations += 1
        _keep(done, _of_row(row, inspections, compared), taken)
    if not done.conversations:
        raise UsageError("no row in any of the files", where=done.files[0])
    for inspection in inspections:
        _keep(done, inspection.finish(compared), taken)
        done.facts += inspection.facts()
    order = {str(path): number for number, path in enumerate(files)}
    done.findings.sort(key=lambda one: (one.level != "error", one.code, _place(one, order)))
    return done


def _of_row(
    row: DataRow | Unreadable, inspections: Sequence[Inspection], compared: Compared
) -> Iterator[Finding]:
    if isinstance(row, Unreadable):
        # The reason may quote the row.
        what = f"{Redactor().text(row.why)}: correct the line, or leave it out"
        yield Finding("", "unreadable-row", what, (row.place,), "error")
        return
    compared.add(row)
    for inspection in inspections:
        yield from inspection.see(row)


def _keep(done: LintedData, found: Iterable[Finding], accepted: frozenset[str]) -> None:
    for finding in found:
        if finding.code in accepted:
            done.accepted[finding.code] += 1
            continue
        done.counts[finding.code] += 1
        done.errors += finding.level == "error"
        if done.counts[finding.code] <= MOST_KEPT:
            done.findings.append(finding)


def _place(finding: Finding, order: dict[str, int]) -> tuple[int, int]:
    """Where a finding stands: the file's place among the files, and the line."""
    path, _, line = finding.cases[0].rstrip("]").replace("[", ":").rpartition(":")
    return order.get(path, 0), int(line) if line.isdigit() else 0
