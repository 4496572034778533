"""The record of past gates: a line each, appended for good."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from harness.errors import JournalError
from harness.files import append_line, read_bytes
from harness.records.base import explain
from harness.records.past_gate import PastGate


def keep_gate(path: Path, gate: PastGate) -> None:
    """Add a gate to the file.

    Raises:
        StorageError: the file cannot be written.
    """
    append_line(path, gate_line(gate))


def gate_line(gate: PastGate) -> str:
    """The gate as a line of the file, without its end."""
    return gate.model_dump_json(exclude_none=True)


def kept_gates(path: Path) -> tuple[PastGate, ...]:
    """The gates of the file in its order, none where there is no file.

    A last line that a crash tore off is left out.

    Raises:
        JournalError: another line is damaged.
        StorageError: the file cannot be read.
    """
    *lines, _torn = (read_bytes(path) or b"").split(b"\n")
    return tuple(_gate(line, f"{path}:{number}") for number, line in enumerate(lines, 1))


def _gate(line: bytes, where: str) -> PastGate:
    try:
        return PastGate.model_validate_json(line)
    except ValidationError as error:
        what = f"is no record of a gate: {explain(error)}"
        raise JournalError(what, where=where, hint="restore that line or delete it") from None
