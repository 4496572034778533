"""Files in one form of data, written in another."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Literal

from pydantic import ValidationError

from harness.data.columns import Source, sources
from harness.data.form import Form, WritableForm, detect
from harness.data.rows import as_line, read_rows
from harness.data.sample import Sample, is_reformatted, messages_of
from harness.errors import UsageError
from harness.files import replacing
from harness.records.base import explain
from harness.scorers.normalize import words

Kind = Literal["cases", "training", "pairs"]
SHOWN = 5  # samples and rejected rows that a preview holds


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that was not taken: where it stands, why, and the row as far as it could be read."""

    place: str
    why: str
    row: Any


@dataclass(slots=True)
class Conversion:
    """What was read and written: the form of each file, counts, and what a preview shows.

    `lost` counts the fields that were not empty and that the other form has no place for.
    `reformatted` are the places of answers that a spreadsheet may have changed.
    """

    forms: dict[str, str] = field(default_factory=dict)
    rows: int = 0
    written: int = 0
    skipped: int = 0  # rows that hold no question and answer by their nature
    rejected: int = 0
    lost: Counter[str] = field(default_factory=Counter)
    first: list[dict[str, Any]] = field(default_factory=list)
    reformatted: list[str] = field(default_factory=list)
    first_rejected: list[Rejected] = field(default_factory=list)


class Writer:
    """Rows as lines of a file, of the kind that the harness reads or in another tool's form."""

    def __init__(self, to: Kind | WritableForm) -> None:
        self._to = to
        self._ids: set[str] = set()

    def row(self, sample: Sample, place: str) -> dict[str, Any]:
        """The row of a sample.

        Raises:
            ValueError: the form cannot hold it.
        """
        if not isinstance(self._to, str):
            return self._to.write(sample)
        # Questions that are the same but for case and spaces are one group.
        asked = hashlib.sha256(" ".join(words(sample.question)).encode()).hexdigest()[:12]
        if self._to == "training":
            return sample.conversation(f"question-{asked}").model_dump(mode="json")
        if self._to == "pairs":
            pair = sample.pair(f"question-{asked}")
            return {
                "group": pair.group,
                "prompt": messages_of(pair.messages[:-1]),
                "chosen": messages_of(pair.messages[-1:]),
                "rejected": messages_of((pair.rejected,)),
            }
        key = place.rpartition("/")[2].replace(":", "-").replace("[", "-").rstrip("]")
        case = sample.case(key)
        if case.id in self._ids:
            raise ValueError(f"id: `{case.id}` was given before")
        self._ids.add(case.id)
        group = sample.group or f"question-{asked}"
        row = case.model_copy(update={"group": group}).model_dump(mode="json", exclude={"critical"})
        return row if row["tags"] else {key: row[key] for key in row if key != "tags"}


def convert(
    files: Sequence[Path],
    to: Kind | WritableForm,
    output: Path | None,
    *,
    form: Form | None = None,
    encoding: str = "utf-8",
) -> Conversion:
    """Read the files and write what is in them; without `output`, only look.

    Rows that cannot be taken are in `<output>.rejected.jsonl`, each with its place and the reason;
    without any there is no such file. Both files are there whole or not at all.

    Raises:
        UsageError: a file that cannot be read or is in no known form, or nothing to write.
        StorageError: the disk is full or the place cannot be written.
    """
    done = Conversion()
    with ExitStack() as stack:
        lines = stack.enter_context(replacing(output)) if output else None
        rejects = Rejects(None if output is None else rejects_of(output))
        stack.enter_context(rejects)
        writer = Writer(to)
        for source in expanded(files):
            known = source.form or form
            for place, row, given in _rows(source, known, encoding, done):
                done.rows += 1
                done.skipped += given == []
                refused = (
                    given
                    if isinstance(given, Rejected)
                    else _write(place, row, given, writer, lines, done)
                )
                if refused is not None:
                    done.rejected += 1
                    done.first_rejected += [refused][: SHOWN - len(done.first_rejected)]
                    rejects.add(refused)
        if not done.written:
            why = f"; {done.first_rejected[0].why}" if done.first_rejected else ""
            raise UsageError(
                f"nothing could be taken of {done.rows} rows{why}",
                where=done.first_rejected[0].place if done.first_rejected else str(files[0]),
                hint="name the columns with `--map`, or the form with `--form`",
            )
    return done


def rejects_of(output: Path) -> Path:
    """Where the rejected rows are put."""
    return output.with_name(f"{output.stem}.rejected.jsonl")


class Rejects:
    """The file of rejected rows, opened for the first of them; none without a path."""

    def __init__(self, path: Path | None) -> None:
        self._path, self._stack = path, ExitStack()
        self._file: BinaryIO | None = None

    def __enter__(self) -> None:
        """Nothing is opened before there is a rejected row."""

    def __exit__(self, *failure: Any) -> None:
        self._stack.__exit__(*failure)
        if self._path and self._file is None and failure[0] is None:
            with suppress(FileNotFoundError):
                self._path.unlink()  # of an earlier conversion

    def add(self, one: Rejected) -> None:
        """Write down a row that was not taken."""
        if self._path is None:
            return
        if self._file is None:
            self._file = self._stack.enter_context(replacing(self._path))
        self._file.write(as_line({"place": one.place, "why": one.why, "row": one.row}).encode())


def expanded(files: Sequence[Path]) -> Iterator[Source]:
    """The files, and in place of a trainer's list of data sets those that it names."""
    for path in files:
        listed = None
        if path.suffix in (".json", ".yaml", ".yml") and path.is_file():
            first = next(iter(read_rows(path)), (str(path), None))
            if first[0] == str(path):  # one object
                listed = sources(path, first[1])
        yield from listed or [Source(path)]


def _rows(
    source: Source, known: Form | None, encoding: str, done: Conversion
) -> Iterator[tuple[str, Any, list[Sample] | Rejected]]:
    """Each row with its place and its samples, or the reason why it cannot be taken."""
    form = known
    for place, row in read_rows(source.path, encoding):
        if not isinstance(row, Mapping):
            error = row if isinstance(row, ValueError) else ValueError("must be an object")
            kept = None if row is error else row
            yield place, kept, Rejected(place, str(error), kept)
            continue
        if form is None:
            form = detect(row, place)
        done.forms.setdefault(str(source.path), form.name)
        yield place, row, read_samples(form, place, row)


def read_samples(form: Form, place: str, row: Mapping[str, Any]) -> list[Sample] | Rejected:
    """The samples of a row, or the reason why it cannot be taken."""
    try:
        return list(form.read(row))
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        return Rejected(place, why_rejected(error), row)


def why_rejected(error: Exception) -> str:
    """What is wrong with a row, in words, for whatever reading it raised."""
    if isinstance(error, ValidationError):
        return explain(error)
    if isinstance(error, KeyError):
        return f"has no `{error.args[0]}`"
    if isinstance(error, ValueError):
        return str(error)
    return "is not as this form has it: a part of it is of another type"


def _write(
    place: str,
    row: Any,
    samples: list[Sample],
    writer: Writer,
    lines: BinaryIO | None,
    done: Conversion,
) -> Rejected | None:
    """Write a row's samples; the reason where one cannot be written."""
    for sample in samples:
        try:
            made = writer.row(sample, place)
        except ValueError as error:
            return Rejected(place, why_rejected(error), row)
        done.lost.update(sample.lost)
        done.reformatted += [place] * any(map(is_reformatted, sample.answers))
        done.written += 1
        if len(done.first) < SHOWN:
            done.first.append(made)
        if lines is not None:
            lines.write(as_line(made).encode())
    return None
