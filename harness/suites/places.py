"""Where the cases of a file stand in it."""

from __future__ import annotations

import codecs
import json
from collections.abc import Collection, Iterator
from pathlib import Path


def case_lines(file: Path, wanted: Collection[str]) -> dict[str, tuple[Path, int]]:
    """The file and line of each wanted case, by its id; those that are not there are left out.

    No more is read than it takes. A line that is no case any more is passed over.
    """
    missing = set(wanted)
    found: dict[str, tuple[Path, int]] = {}
    if not missing:
        return found
    for number, case in _ids(file):
        if case in missing:
            missing.remove(case)
            found[case] = file, number
            if not missing:
                break
    return found


def _ids(file: Path) -> Iterator[tuple[int, str]]:
    try:
        with file.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                case = _id(line)
                if case is not None:
                    yield number, case
    except OSError:
        return


def _id(line: bytes) -> str | None:
    try:
        raw = json.loads(line.removeprefix(codecs.BOM_UTF8))
    except (ValueError, RecursionError):
        return None
    found = raw.get("id") if isinstance(raw, dict) else None
    return found.strip() if isinstance(found, str) else None
