"""Trouble: why a command did not end well, as a line for people and an object for programs."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

import click

from harness.errors import HarnessError, UsageError

INTERRUPTED = 130
INTERNAL = 3


@dataclass(frozen=True, slots=True)
class Trouble:
    """What went wrong, where, what to do about it, and the exit code that follows.

    `kind` is the name of the error's class, `Interrupted` or `InternalError`; `lead` is what the
    line for people begins with.
    """

    kind: str
    where: str
    what: str
    hint: str
    exit_code: int
    lead: str = "error: "

    @property
    def line(self) -> str:
        """The line for people."""
        return f"{self.lead}{HarnessError(self.what, where=self.where, hint=self.hint).line}"

    def as_json(self) -> str:
        """The object for programs."""
        told = asdict(self)
        del told["lead"]
        return json.dumps({"error": told}, indent=2)


def trouble(error: BaseException) -> Trouble:
    """What an error that ended a command amounts to."""
    if isinstance(error, HarnessError):
        kind = type(error).__name__
        return Trouble(kind, error.where, error.what, error.hint, error.exit_code)
    if isinstance(error, click.exceptions.Abort | KeyboardInterrupt):
        what = "interrupted; what was finished is kept, run the same command to go on"
        return Trouble("Interrupted", "", what, "", INTERRUPTED, lead="")
    if isinstance(error, click.ClickException):
        what = " ".join(error.format_message().split())
        context = error.ctx if isinstance(error, click.UsageError) else None
        hint = f"try `{context.command_path} --help`" if context else ""
        return Trouble(UsageError.__name__, "", what, hint, UsageError.exit_code)
    what = " ".join(f"{type(error).__name__}: {error}".split())
    hint = "`harness --debug …` shows where"
    return Trouble("InternalError", "", what, hint, INTERNAL, lead="internal error: ")
