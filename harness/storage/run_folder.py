"""The folder of a run: header, journal, scores, and the lock of its writer."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from harness.errors import EvidenceError, HarnessError, JournalError
from harness.files import (
    Appender,
    exclusive,
    replacing,
    storage_error,
    write_atomic,
)
from harness.records.attempt import Attempt, Score
from harness.records.recording import Recording
from harness.records.run import FileSeal, RunHeader, RunRecord, names_run_of
from harness.storage.authentication import check_signed, runs_key, signed
from harness.storage.journal_chain import (
    JournalLog,
    check_beginning,
    check_chain,
    extended,
    seal_of,
)
from harness.storage.line_index import Later, Stored, read_json, stored

HEADER = "run.json"
JOURNAL = "attempts.jsonl"
RECORDED = "recorded.json"
_PIECE = 65536
_ANEW = "delete the run's folder and run again"


class RunFolder:
    """The files of one run."""

    def __init__(self, path: Path) -> None:
        self.path = path
        # Where the log of the managed server that answered this run is kept.
        self.server_log = path / "server.log"
        self._attempts = path / JOURNAL
        self._scores = path / "scores.jsonl"
        self._recorded = path / RECORDED
        self._log = JournalLog(path.parent)

    def header(self) -> RunHeader | None:
        """The provenance in `run.json`, or None where there is no run yet.

        Raises:
            JournalError: the file is there and is no run's header, or not one that the project's
                key authenticates.
            StorageError: the file is there and cannot be read.
        """
        # What it replaced is not known any more, and must not come back unasked.
        hint = "put it back as it was, or delete the run's folder and run with --no-cache"
        path = self.path / HEADER
        found = read_json(path, RunHeader, hint, "is no header of a run: ")
        if found is not None:
            check_signed(found, self.path.name, str(path))
        return found

    def write_header(self, header: RunHeader) -> None:
        """Replace `run.json`."""
        header = signed(header, self.path.name)
        write_atomic(self.path / HEADER, header.model_dump_json(indent=2) + "\n")

    def attempts(self) -> Stored[Attempt]:
        """The attempts in the journal, by key: the first answer, or else the last failure.

        Raises:
            JournalError: a line before the last is damaged, or what was there when the run was
                finished is not there as it was.
            StorageError: the journal cannot be read.
        """
        return self._journal(self.header())

    def _journal(self, header: RunHeader | None) -> Stored[Attempt]:
        seal = None if header is None else header.journal
        proven = _proven(header) if seal is None else None
        if seal is not None:
            _check_seal(self._attempts, seal, _ANEW)
        segments = () if header is None else tuple(link.size for link in header.chain)
        found = stored(self._attempts, Attempt, torn_tail=True, size=proven, segments=segments)
        self._check(header)
        return found

    def scores(self) -> Stored[Score]:
        """The scores in `scores.jsonl`, by key; of an unfinished run, the scores so far.

        Raises:
            JournalError: a line before the last is damaged.
            StorageError: the file cannot be read.
        """
        return stored(self._scores, Score, torn_tail=True)

    def scored_by(self, scorers: str | None) -> bool:
        """Whether the run is finished, nothing changed since, and these scorers scored it.

        `scorers` is their fingerprint; None, where they have none, is never the same.
        """
        header = self.header()
        return (
            header is not None
            and header.scores is not None
            and None not in (scorers, header.summary)
            and header.scorers == scorers
            and seal_of(self._scores) == header.scores
            and seal_of(self._attempts) == header.journal
        )

    def finish(
        self, rows: Iterable[tuple[Score | None, Attempt]], scorers: str | None, moment: str
    ) -> None:
        """Write the scores, and seal the run as it is, in a header marked as finished.

        `rows` are every score with its attempt, in the order in which they are to stand; an
        attempt whose answer gives none stands beside None.
        """
        known = self.header()
        if known is None:
            raise JournalError("the run lost its run.json", where=str(self.path))
        tally = known.tally()
        with replacing(self._scores) as file:
            for score, attempt in rows:
                tally.add_attempt(attempt)
                if score is not None:
                    tally.add_score(score)
                    file.write(score.model_dump_json().encode() + b"\n")
        journal = seal_of(self._attempts)
        update = {
            "afresh": False,
            "finished": known.finished if known.journal == journal else moment,
            "journal": journal,
            "scores": seal_of(self._scores),
            "scorers": scorers,
            "summary": tally.summary(),
        }
        finished = known.model_copy(update=update)
        if finished != known:
            self.write_header(finished)

    def load(self) -> RunRecord:
        """The whole run: header, one attempt a key, scores; read when they are gone through.

        Raises:
            EvidenceError: there is no run, or it is not finished.
            JournalError: (also when they are gone through) attempts or scores are not as they
                were when the run was finished.
        """
        header = self.header()
        if header is None or header.finished is None or header.scores is None:
            raise EvidenceError(
                "holds no finished run", where=str(self.path), hint="`harness run` makes one"
            )
        again = f"harness score {header.target}"
        run = RunRecord(
            header,
            Later(partial(self._journal, header)),
            Later(partial(self._sealed_scores, header.scores, again)),
        )
        recording = self.recording()
        if recording is None or recording.freshness != header.freshness or not recording.sections:
            return run
        return run.with_recording(recording)

    def recording(self) -> Recording | None:
        """The results of Python tests, or None where none have been run.

        Raises:
            JournalError: the file is damaged.
            StorageError: the file cannot be read.
        """
        hint = "delete it and run the suite's tests with pytest again"
        found = read_json(self._recorded, Recording, hint)
        if found is not None:
            check_signed(found, self.path.name, str(self._recorded))
        return found

    def record(self, recording: Recording) -> None:
        """Keep the results, or the start, of Python tests; those of other sections stay.

        Raises:
            JournalError: what was kept is damaged, or another process is writing this run.
            StorageError: the folder cannot be written.
        """
        with exclusive(self.path / "lock", self._busy()):
            known = self.recording()
            if known is not None and known.freshness == recording.freshness:
                recording = known.merged(recording)
            recording = signed(recording, self.path.name)
            write_atomic(self._recorded, recording.model_dump_json(exclude_defaults=True) + "\n")

    def _sealed_scores(self, seal: FileSeal, hint: str) -> Stored[Score]:
        _check_seal(self._scores, seal, hint)
        return self.scores()

    @contextmanager
    def scoring(self) -> Iterator[Appender]:
        """A new file of scores, for readers while the run goes on.

        They can be made again from the attempts, so nothing waits until they are on the disk.
        """
        self._scores.unlink(missing_ok=True)  # whoever reads the old ones keeps them
        with Appender(self._scores, batch=sys.maxsize) as appender:
            yield appender

    @contextmanager
    def writing(self, anew: Callable[[], bool] = lambda: False) -> Iterator[Appender]:
        """The journal, open for appending, held by this process alone; its run is unfinished now.

        Where `anew` says so, asked once nobody else can write, the journal begins empty, and the
        old one is kept under another name.

        Raises:
            JournalError: another process is writing this run.
            StorageError: the folder cannot be written.
        """
        with exclusive(self.path / "lock", self._busy()):
            known = self.header()
            if anew():
                if known is not None:
                    self.write_header(known.reopened().model_copy(update={"chain": ()}))
                set_aside(self._attempts)
            else:
                self._check(known)
                if known is not None and (known.finished, known.journal) != (None, None):
                    self.write_header(known.reopened())
            _drop_torn_tail(self._attempts)
            proven = _proven(known)
            if proven is not None and self._attempts.exists():
                os.truncate(self._attempts, proven)  # what a crash left is asked again
            self._log.note(self.path.name, self._attempts, opened=True)
            try:
                with Appender(self._attempts) as appender:
                    yield appender
            finally:
                self._end_segment()

    def _end_segment(self) -> None:
        """Add what the journal holds now to its chain and to the log."""
        _drop_torn_tail(self._attempts)
        known = self.header()
        if known is not None:
            chain = extended(known.chain, known.run_id, seal_of(self._attempts))
            self.write_header(known.model_copy(update={"chain": chain}))
        self._log.note(self.path.name, self._attempts)

    def fetched(self) -> None:
        """Keep in the log that the journal has what was not written here.

        Raises:
            StorageError: the log cannot be written.
        """
        self._log.note(self.path.name, self._attempts, fetched=True)

    def answers_before(self, log_size: int) -> set[str]:
        """The keys of the answers that were there when the log of journals was so long.

        Raises:
            JournalError: the journal or the log is damaged.
            StorageError: one of them cannot be read.
        """
        since = self._log.states(self.path.name, begin=log_size)
        size = since[0].size if since else sys.maxsize
        return set(self.attempts().before(size))

    @property
    def written_here(self) -> bool:
        """Whether all of the journal was written by processes of this project's folder."""
        return self._log.whole(self.path.name, self._attempts)

    def _check(self, header: RunHeader | None) -> None:
        """Nothing, where the journal holds what it is known to have held.

        Raises:
            JournalError: it does not.
            StorageError: it cannot be read.
        """
        if header is None or not self._attempts.exists():
            return
        check_chain(header.chain, header.run_id, self._attempts)
        known = self._log.finished(self.path.name)
        if known is not None and (not header.chain or known.size != header.chain[-1].size):
            check_beginning(self._attempts, FileSeal(size=known.size, digest=known.digest))
        elif known is not None and known.digest != header.chain[-1].digest:
            raise JournalError(
                "was changed after it was written", where=str(self._attempts), hint=_ANEW
            )

    def _busy(self) -> JournalError:
        return JournalError(
            "another process is writing this run", where=str(self.path), hint="wait for it to end"
        )


def _check_seal(path: Path, seal: FileSeal, hint: str) -> None:
    if seal_of(path) != seal:
        raise JournalError("was changed after the run was finished", where=str(path), hint=hint)


def set_aside(journal: Path) -> None:
    """Keep a journal that is to be replaced, under another name."""
    if journal.exists():
        number = len(list(journal.parent.glob("attempts.replaced-*.jsonl"))) + 1
        journal.rename(journal.with_name(f"attempts.replaced-{number}.jsonl"))


def runs_of(runs: Path, target: str) -> list[tuple[RunFolder, RunHeader]]:
    """The target's runs that have a header, with it, the newest first.

    What cannot be read is passed over only where its name is not a run's of this target: which
    answers it replaced is not known, and without it they would be taken for good ones.

    Raises:
        JournalError: the header of a run of this target is damaged.
        StorageError: it cannot be read.
    """
    found = []
    for path in sorted(runs.glob(f"{target}-*")):
        try:
            header = RunFolder(path).header() if path.is_dir() else None
        except HarnessError:
            if names_run_of(path.name, target):
                raise
            continue
        if header is not None and header.target == target:
            found.append((RunFolder(path), header))
    return sorted(found, key=lambda item: item[1].created, reverse=True)


def newest_finished(runs: Path, target: str) -> RunFolder | None:
    """The target's newest finished run, None where there is none.

    A run of all its suites goes before one that holds the answers for a single section's work, such
    as those that a judge was shown.

    Raises:
        JournalError, StorageError: as `runs_of`.
    """
    finished = [(folder, header) for folder, header in runs_of(runs, target) if header.finished]
    whole = (one for one, header in finished if header.sections or one.recording() is not None)
    return next(whole, finished[0][0] if finished else None)


def _proven(header: RunHeader | None) -> int | None:
    """How much of a journal the project's key authenticates, in bytes; None without a key."""
    if runs_key() is None:
        return None
    return header.chain[-1].size if header is not None and header.chain else 0


def _drop_torn_tail(path: Path) -> None:
    """Cut what follows the last line end, so that the next line starts a line."""
    try:
        with path.open("r+b") as file:
            end = size = file.seek(0, os.SEEK_END)
            piece = b""
            while end and b"\n" not in piece:
                begin = max(0, end - _PIECE)
                file.seek(begin)
                piece = file.read(end - begin)
                end = begin if b"\n" not in piece else begin + piece.rindex(b"\n") + 1
            if end != size:
                file.truncate(end)
    except FileNotFoundError:
        return
    except OSError as error:
        raise storage_error(error, path) from error
