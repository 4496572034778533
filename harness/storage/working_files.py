"""Files of a project besides its runs: the log of past gates, and measurements of latency."""

from __future__ import annotations

from pathlib import Path

from harness.files import append_line, read_bytes, write_atomic
from harness.records.history import PastGate
from harness.records.latency import Block, Measurement
from harness.storage.line_index import parse_json, read_json


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
    what, hint = "is no record of a gate: ", "restore that line or delete it"
    return tuple(
        parse_json(line, PastGate, f"{path}:{number}", hint, what)
        for number, line in enumerate(lines, 1)
    )


_ANEW = "delete the measurement's folder and measure again"


class MeasurementFolder:
    """The files of one measurement; a block is there whole or not at all."""

    def __init__(self, path: Path) -> None:
        self.path = path
        # Where the log of the managed server that was measured is kept.
        self.server_log = path / "server.log"

    def header(self) -> Measurement | None:
        """What `measurement.json` says, or None where there is no measurement yet.

        Raises:
            JournalError: the file is there and is no measurement's header.
            StorageError: the file is there and cannot be read.
        """
        return read_json(self.path / "measurement.json", Measurement, _ANEW)

    def write_header(self, header: Measurement) -> None:
        """Replace `measurement.json`."""
        write_atomic(self.path / "measurement.json", header.model_dump_json(indent=2) + "\n")

    def blocks(self) -> tuple[Block, ...]:
        """The blocks in the order in which they were measured.

        Raises:
            JournalError: one is damaged.
            StorageError: one cannot be read.
        """
        paths = sorted((self.path / "blocks").glob("*.json"))
        found = (read_json(path, Block, _ANEW) for path in paths)
        return tuple(block for block in found if block is not None)

    def keep(self, block: Block, load: int) -> None:
        """Write a block of the load at that place of the settings."""
        name = f"{load:02d}-{block.round:04d}-{block.place}.json"
        write_atomic(self.path / "blocks" / name, block.model_dump_json() + "\n")
