"""Copies of data files without personal data and secrets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.data.rows import as_line, read_rows
from harness.errors import UsageError
from harness.files import replacing
from harness.personal_data import Kind, Redactor


@dataclass(slots=True)
class Redacted:
    """The copies that were written, and how many places of each kind were replaced in them.

    `left_out` are the places of rows that cannot be read, which are not in the copy.
    """

    files: list[Path] = field(default_factory=list)
    replaced: Counter[Kind] = field(default_factory=Counter)
    left_out: list[str] = field(default_factory=list)


def copies_of(files: Sequence[Path], output: Path) -> list[Path]:
    """Where the copies go: `output` itself for one file, a folder of that name for several.

    Raises:
        UsageError: two files would have one copy, or a copy would replace its own file.
    """
    copies = [output] if len(files) == 1 else [output / f"{_stem(path)}.jsonl" for path in files]
    if len(set(copies)) < len(copies):
        raise UsageError("two of the files have one name", hint="redact them one at a time")
    for path, copy in zip(files, copies, strict=True):
        if path.resolve() == copy.resolve():
            raise UsageError("would replace the file itself", where=str(copy), hint="name another")
    return copies


def write_redacted(
    files: Sequence[Path], output: Path, redactor: Redactor | None = None, encoding: str = "utf-8"
) -> Redacted:
    """Write the copies as JSON Lines, a row a line, the same name for the same value in all.

    Each copy is there whole or not at all.

    Raises:
        UsageError: a file cannot be read, or see `copies_of`.
        StorageError: the place cannot be written.
    """
    redactor, done = redactor or Redactor(), Redacted()
    for path, copy in zip(files, copies_of(files, output), strict=True):
        with replacing(copy) as lines:
            for place, row in read_rows(path, encoding):
                if isinstance(row, ValueError):
                    done.left_out.append(place)
                else:
                    lines.write(as_line(redactor.value(row)).encode("utf-8", "backslashreplace"))
        done.files.append(copy)
    done.replaced = redactor.counts
    return done


def _stem(path: Path) -> str:
    return path.name.removesuffix(".gz").rpartition(".")[0] or path.name
