"""Files of a project besides its runs: the log of past gates, and measurements of latency."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from harness.errors import JournalError
from harness.files import append_line, read_bytes, write_atomic
from harness.records.history import PastGate
from harness.records.latency import Block, Measurement
from harness.storage.authentication import check_signed, signed
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
            JournalError: the file is there and is no measurement's header, or not authentic.
            StorageError: the file is there and cannot be read.
        """
        path = self.path / "measurement.json"
        found = read_json(path, Measurement, _ANEW)
        if found is not None:
            check_signed(found, self._name, str(path))
        return found

    def write_header(self, header: Measurement) -> None:
        """Replace `measurement.json`."""
        text = signed(header, self._name).model_dump_json(indent=2)
        write_atomic(self.path / "measurement.json", text + "\n")

    def finish(self, header: Measurement) -> None:
        """Replace `measurement.json` by that of a finished measurement, sealed with its blocks."""
        sealed = blocks_digest(self.blocks())
        self.write_header(header.model_copy(update={"finished": True, "sealed": sealed}))

    def blocks(self) -> tuple[Block, ...]:
        """The blocks in the order in which they were measured.

        Raises:
            JournalError: one is damaged or not authentic, or they are not those that were sealed.
            StorageError: one cannot be read.
        """
        found = []
        header = self.header()
        for path in sorted((self.path / "blocks").glob("*.json")):
            block = read_json(path, Block, _ANEW)
            if block is not None:
                check_signed(block, self._block_name(path.name, header), str(path))
                found.append(block)
        sealed = header.sealed if header is not None and header.finished else None
        if sealed is not None and sealed != blocks_digest(found):
            raise JournalError(
                "was changed after it was measured", where=str(self.path / "blocks"), hint=_ANEW
            )
        return tuple(found)

    def keep(self, block: Block, load: int) -> None:
        """Write a block of the load at that place of the settings, once there is a header.

        Raises:
            JournalError: the header is damaged or not authentic.
            StorageError: the header cannot be read, or the block cannot be written.
        """
        name = f"{load:02d}-{block.round:04d}-{block.place}.json"
        text = signed(block, self._block_name(name, self.header())).model_dump_json()
        write_atomic(self.path / "blocks" / name, text + "\n")

    @property
    def _name(self) -> str:
        return f"{self.path.parent.name}/{self.path.name}"

    def _block_name(self, file: str, header: Measurement | None) -> str:
        """What a block's code binds it to; measurements of earlier versions drew no nonce."""
        nonce = None if header is None else header.nonce
        return f"{self._name}/{file}" if nonce is None else f"{self._name}/{nonce}/{file}"


def blocks_digest(blocks: Sequence[Block]) -> str:
    """The digest of a measurement's blocks, in their order."""
    whole = hashlib.sha256()
    for block in blocks:
        whole.update(block.model_dump_json(exclude={"mac"}).encode())
    return f"sha256:{whole.hexdigest()}"
