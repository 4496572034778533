"""The exceptions of the harness; each branch of the tree has one exit code.

HarnessError
├── UsageError (2)            the user can correct it: command line, files, configuration
│   ├── ConfigError           harness.yaml
│   ├── SuiteError            suite.yaml and its case files
│   ├── RecipeError           training recipes and their data
│   └── PromotionRefused      a verdict that does not allow it, a hash that no longer matches
├── InfrastructureError (3)   a server, disk or network failed; no statement about the candidate
│   ├── ServerError           a model server that does not start, refuses or dies
│   ├── BudgetSpent           a server's `max_cost` that the next request could exceed
│   ├── TrainingError         a training job that cannot go on
│   └── StorageError          a disk that is full, a file that cannot be written
└── EvidenceError (3)         records exist and cannot be trusted
    ├── JournalError          a journal that is locked or corrupted
    └── AdapterNotApplied     the server answers without the adapter

An error that belongs to a single package is defined there, as a subclass of one of these.
"""

from __future__ import annotations

import contextlib
import os
from typing import ClassVar

INTERRUPTED = 130  # the exit code after Ctrl-C: 128 + SIGINT, as a shell counts it


class HarnessError(Exception):
    """An error that a person reads as one line: where, what, and what to do about it."""

    exit_code: ClassVar[int] = 3

    def __init__(self, what: str, *, where: str = "", hint: str = "") -> None:
        self.what = " ".join(what.split())
        self.where = where
        self.hint = " ".join(hint.split())
        super().__init__(self.line)

    @property
    def line(self) -> str:
        """The whole message on one line: `where: what - hint`.

        A path below the current folder is shown as seen from there.
        """
        where = self.where
        with contextlib.suppress(OSError):  # the current folder may be gone
            where = where.removeprefix(os.path.join(os.getcwd(), ""))  # noqa: PTH109, PTH118
        head = f"{where}: {self.what}" if where else self.what
        return f"{head} - {self.hint}" if self.hint else head


class UsageError(HarnessError):
    """Something the user asked for cannot be done as asked."""

    exit_code = 2


class ConfigError(UsageError):
    """`harness.yaml` cannot be read or contradicts itself."""


class SuiteError(UsageError):
    """A suite cannot be read."""


class RecipeError(UsageError):
    """A training recipe or its data cannot be read."""


class PromotionRefused(UsageError):
    """The evidence at hand does not allow this promotion."""


class InfrastructureError(HarnessError):
    """A server, a disk or the network failed; no statement about any model follows."""


class ServerError(InfrastructureError):
    """A model server did not start, refused, or died."""


class BudgetSpent(InfrastructureError):
    """The next request could cost more than is left of a server's `max_cost`."""


class TrainingError(InfrastructureError):
    """A training job cannot go on."""


class StorageError(InfrastructureError):
    """A file could not be written."""


class EvidenceError(HarnessError):
    """Records exist and cannot be trusted."""


class JournalError(EvidenceError):
    """A journal is in use elsewhere or damaged before its end."""


class AdapterNotApplied(EvidenceError):
    """The server answers as if the adapter were not there."""
