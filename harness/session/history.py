"""The history of a suite, gathered from the project and from files that were kept elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from pydantic import ValidationError

from harness.config import Project
from harness.errors import EvidenceError, JournalError, UsageError
from harness.files import read_bytes
from harness.gate.history import history
from harness.gate.seal import sealed_baselines
from harness.records.base import explain
from harness.records.history import History, PastGate, instant
from harness.records.verdict import Verdict
from harness.report.write import VERDICT
from harness.sections.load_suites import load_suites
from harness.storage.working_files import kept_gates

_TAKEN = f"--from takes {VERDICT}, gates.jsonl or a folder"


def gather_history(
    project: Project, names: Sequence[str], sources: Iterable[Path]
) -> tuple[History, ...]:
    """The histories of the named suites, of all suites that have one where none is named.

    `sources` are files of verdicts, records of gates (`.jsonl`), and folders to look for both in.

    Raises:
        UsageError: a suite or source does not exist, or there is no history.
        EvidenceError: a file is damaged.
    """
    suites = load_suites(project, names)
    gates = list(kept_gates(project.gates))
    verdicts: list[Verdict] = []
    for path in dict.fromkeys(found for source in sources for found in _files(source)):
        if path.suffix == ".jsonl":
            gates += _fetched(path)
        else:
            verdicts.append(_verdict(path))
    current = {suite.name: suite.digest for suite in load_suites(project)}
    found = tuple(
        _of_suite(suite.name, gates, verdicts, project.baselines, current) for suite in suites
    )
    empty = [one.suite for one in found if not one.gates]
    if len(empty) == len(found) or (names and empty):
        raise UsageError(
            f"no gate of suite `{empty[0]}` was kept, and no baseline of it is sealed",
            where=str(project.gates),
            hint="`harness gate CANDIDATE` keeps its verdict there, `--from DIR` reads others",
        )
    return tuple(one for one in found if one.gates)


def _of_suite(
    suite: str,
    gates: Iterable[PastGate],
    verdicts: Iterable[Verdict],
    baselines: Path,
    current: dict[str, str],
) -> History:
    sealed = sealed_baselines(suite, baselines)
    try:
        return history(suite, gates, verdicts, sealed, (current, {suite: current[suite]}))
    except ValidationError as error:
        raise EvidenceError(explain(error), where=str(baselines / suite)) from None


def _files(source: Path) -> list[Path]:
    """The files of a source that tell of gates."""
    if source.is_dir():
        found = sorted(
            path for pattern in (VERDICT, "gates.jsonl") for path in source.rglob(pattern)
        )
        if not found:
            raise UsageError(f"holds no {VERDICT} and no gates.jsonl", where=str(source))
        return found
    if not source.exists():
        raise UsageError("no such file or folder", where=str(source), hint="check --from")
    return [source]


def _fetched(path: Path) -> tuple[PastGate, ...]:
    try:
        return kept_gates(path)
    except JournalError as error:
        raise JournalError(error.what, where=error.where, hint=_TAKEN) from None


def _verdict(path: Path) -> Verdict:
    try:
        verdict = Verdict.model_validate_json(read_bytes(path) or b"")
        instant(verdict.created)
    except ValidationError as error:
        what = f"is no verdict: {explain(error)}"
        raise EvidenceError(what, where=str(path), hint=_TAKEN) from None
    except ValueError as error:
        raise EvidenceError(f"is no verdict: created: {error}", where=str(path)) from None
    return verdict
