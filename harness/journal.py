"""A run's folder: attempts appended as they finish, replayed on the next start, sealed at the end.

A resumed run keeps every answer it finds and asks again only for what has none: a failure in the
journal is history, not a result.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from harness.errors import EvidenceError, JournalError
from harness.files import Appender, digest_bytes, exclusive, read_bytes, write_atomic
from harness.records.attempt import Attempt
from harness.records.base import Record, explain
from harness.records.run import JournalSeal, Run, RunHeader
from harness.records.score import Score

T = TypeVar("T", bound=Record)


class RunFolder:
    """The files of one run."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def server_log(self) -> Path:
        """Where the log of the managed server that answered this run is kept."""
        return self.path / "server.log"

    @property
    def _attempts(self) -> Path:
        return self.path / "attempts.jsonl"

    def header(self) -> RunHeader | None:
        """The provenance in `run.json`, or None where there is no run yet.

        Raises:
            JournalError: the file is there and is no run's header.
            StorageError: the file is there and cannot be read.
        """
        path = self.path / "run.json"
        data = read_bytes(path)
        try:
            return None if data is None else RunHeader.model_validate_json(data)
        except ValidationError as error:
            raise JournalError(
                explain(error), where=str(path), hint="delete the run's folder and run again"
            ) from None

    def write_header(self, header: RunHeader) -> None:
        """Replace `run.json`."""
        write_atomic(self.path / "run.json", header.model_dump_json(indent=2) + "\n")

    def write_scores(self, scores: Iterable[Score]) -> None:
        """Replace `scores.jsonl`."""
        lines = "".join(score.model_dump_json() + "\n" for score in scores)
        write_atomic(self.path / "scores.jsonl", lines)

    def attempts(self) -> dict[str, Attempt]:
        """What the journal holds, by key: the first answer if there is one, else the last failure.

        Raises:
            JournalError: a line before the last is damaged, or what was there when the run was
                finished is not there as it was.
            StorageError: the journal cannot be read.
        """
        data = read_bytes(self._attempts) or b""
        self._check_seal(data)
        found: dict[str, Attempt] = {}
        for attempt in _parse(data, self._attempts, Attempt, torn_tail=True):
            known = found.get(attempt.key)
            if known is None or known.status == "failed":
                found[attempt.key] = attempt
        return found

    def finish(self, scores: Iterable[Score], moment: str) -> None:
        """Write the scores, and seal the journal as it is, in a header marked as finished."""
        self.write_scores(scores)
        known = self.header()
        if known is None:
            raise JournalError("the run lost its run.json", where=str(self.path))
        data = read_bytes(self._attempts) or b""
        seal = JournalSeal(size=len(data), digest=digest_bytes(data))
        if known.finished is None or known.journal != seal:
            update = {"finished": moment, "journal": seal}
            self.write_header(known.model_copy(update=update))

    def _check_seal(self, data: bytes) -> None:
        header = self.header()
        if header is None or header.journal is None:
            return
        if JournalSeal(size=len(data), digest=digest_bytes(data)) != header.journal:
            raise JournalError(
                "was changed after the run was finished",
                where=str(self._attempts),
                hint="delete the run's folder and run again",
            )

    def load(self) -> Run:
        """The whole run: header, one attempt a key, scores.

        Raises:
            EvidenceError: there is no run, or it was never scored.
        """
        header = self.header()
        path = self.path / "scores.jsonl"
        data = read_bytes(path)
        if header is None or data is None:
            raise EvidenceError(
                "holds no finished run", where=str(self.path), hint="`harness run` makes one"
            )
        scores = tuple(_parse(data, path, Score, torn_tail=False))
        return Run(header, tuple(self.attempts().values()), scores)

    @contextmanager
    def writing(self, *, anew: bool = False) -> Iterator[Appender]:
        """The journal, open for appending, held by this process alone; its run is unfinished now.

        With `anew` the journal begins empty, and the old one is kept under another name.

        Raises:
            JournalError: another process is writing this run.
            StorageError: the folder cannot be written.
        """
        busy = JournalError(
            "another process is writing this run", where=str(self.path), hint="wait for it to end"
        )
        with exclusive(self.path / "lock", busy):
            self._unseal()
            if anew:
                self._set_aside()
            _drop_torn_tail(self._attempts)
            with Appender(self._attempts) as appender:
                yield appender

    def _unseal(self) -> None:
        known = self.header()
        if known is not None and (known.finished is not None or known.journal is not None):
            self.write_header(known.begun_again(known.freshness))

    def _set_aside(self) -> None:
        if self._attempts.exists():
            number = len(list(self.path.glob("attempts.replaced-*.jsonl"))) + 1
            self._attempts.rename(self.path / f"attempts.replaced-{number}.jsonl")


def runs_of(runs: Path, target: str) -> list[tuple[RunFolder, RunHeader]]:
    """The target's runs that have a header, with it, the newest first.

    Raises:
        JournalError: a header there cannot be read.
    """
    found = []
    for path in sorted(runs.glob(f"{target}-*")):
        header = RunFolder(path).header() if path.is_dir() else None
        if header is not None and header.target == target:
            found.append((RunFolder(path), header))
    return sorted(found, key=lambda item: item[1].created, reverse=True)


def _parse(data: bytes, path: Path, kind: type[T], *, torn_tail: bool) -> Iterator[T]:
    lines = data.split(b"\n")
    torn = lines.pop()
    if torn and not torn_tail:
        raise JournalError(
            "ends in a torn line", where=str(path), hint="run again to write it anew"
        )
    for number, line in enumerate(lines, start=1):
        try:
            yield kind.model_validate(json.loads(line))
        except (ValueError, ValidationError):
            raise JournalError(
                "damaged line", where=f"{path}:{number}", hint="delete that line and run again"
            ) from None


def _drop_torn_tail(path: Path) -> None:
    """Cut what follows the last line end, so that the next line starts a line."""
    if not path.exists():
        return
    data = path.read_bytes()
    end = data.rfind(b"\n") + 1
    if end != len(data):
        os.truncate(path, end)
