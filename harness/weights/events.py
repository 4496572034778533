"""What a child writes into its events file, a JSON object a line, and how it is read."""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from harness.errors import HarnessError, UsageError
from harness.records.base import Record
from harness.visible_text import on_a_line

_LONGEST = 400
_NO_MEMORY = ("out of memory", "can't allocate memory", "cannot allocate memory")


class ChildEvent(Record):
    """One line: progress of a stage, a sentence for the user, or the error that ends the child.

    Of an error, `kind` says what it was: of the user's making (`usage`), want of memory, or other.
    """

    event: Literal["progress", "say", "error"]
    text: str = ""
    done: int = 0
    total: int = 0
    kind: Literal["usage", "memory", "other"] = "other"
    where: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Events:
    """The events file as the child writes it."""

    path: Path

    def progress(self, stage: str, done: int, total: int) -> None:
        """Tell how far a stage is."""
        self._write(ChildEvent(event="progress", text=stage, done=done, total=total))

    def say(self, text: str) -> None:
        """Tell the user a sentence."""
        self._write(ChildEvent(event="say", text=text))

    def fail(self, error: BaseException) -> None:
        """Tell what the child cannot go on with."""
        text = on_a_line(f"{type(error).__name__}: {error}", _LONGEST)
        if isinstance(error, HarnessError):
            kind: Any = "usage" if isinstance(error, UsageError) else "other"
            own = {"text": error.what, "where": error.where, "hint": error.hint}
            self._write(ChildEvent(event="error", kind=kind, **own))
        elif isinstance(error, MemoryError) or any(one in text.lower() for one in _NO_MEMORY):
            self._write(ChildEvent(event="error", kind="memory", text=text))
        else:
            self._write(ChildEvent(event="error", text=text))

    def _write(self, event: ChildEvent) -> None:
        with self.path.open("a", encoding="utf-8") as file:
            file.write(event.model_dump_json(exclude_defaults=True) + "\n")


def read_events(path: Path, offset: int) -> tuple[list[ChildEvent], int]:
    """The events after that byte of the file, and the byte after the last whole one."""
    try:
        with path.open("rb") as file:
            file.seek(offset)
            data = file.read()
    except FileNotFoundError:
        return [], offset
    whole = data[: data.rfind(b"\n") + 1]
    return [ChildEvent.model_validate_json(line) for line in whole.splitlines()], offset + len(
        whole
    )


def carry_out(work: Callable[[Mapping[str, Any], Events], None]) -> None:
    """Do the work of the order in the file that the command line names; what stops it is told.

    The child's `main`: `python -m MODULE ORDER_FILE`. Its exit code is 0, or 1 after an error.
    """
    told = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    events = Events(Path(told["events"]))
    try:
        work(told["order"], events)
    except Exception as error:  # noqa: BLE001 - told to whoever gave the order
        traceback.print_exc()
        events.fail(error)
        sys.exit(1)
