"""Where the cases of a file stand in it."""

from __future__ import annotations

import codecs
from pathlib import Path

from harness.errors import SuiteError


def case_lines(file: Path) -> list[int]:
    """The numbers of the lines that hold a case, in the order of the section's cases.

    Raises:
        SuiteError: the file cannot be read.
    """
    try:
        with file.open("rb") as lines:
            return [number for number, raw in enumerate(lines, 1) if not _blank(raw, number)]
    except OSError as error:
        raise SuiteError(f"cannot read: {error.strerror}", where=str(file)) from None


def _blank(raw: bytes, number: int) -> bool:
    text = raw.removeprefix(codecs.BOM_UTF8) if number == 1 else raw
    return not text.decode(errors="replace").strip()
