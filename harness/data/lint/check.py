"""Checks of training data: their Protocol and their registry."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Protocol

from harness.data.lint.pairs import Compared
from harness.data.lint.row import DataRow
from harness.personal_data import NameFinder
from harness.plugins import PluginRegistry
from harness.records.finding import Finding, Level
from harness.records.suite import Suite
from harness.training.encoder import Encoder

ENTRY_POINT_GROUP = "harness.data_checks"


@dataclass(frozen=True, slots=True)
class CheckSettings:
    """What a linting is told: countries of telephone numbers, and what a training would read.

    With `names` people's names are personal data, too. With an `encoder`, the base's tokenizer and
    template are known, and `max_length` is in tokens; `system_prompt` is put before conversations
    that have none. The `suites` are what the trained model will be asked.
    """

    regions: tuple[str, ...] = ()
    encoder: Encoder | None = None
    max_length: int = 0
    system_prompt: str = ""
    suites: tuple[Suite, ...] = ()
    names: NameFinder | None = None


class Inspection:
    """One check of one linting; a kind of check overrides what it needs."""

    def see(self, row: DataRow) -> Iterable[Finding]:
        """What is wrong with a row by itself; every row is seen once, in its order."""
        del row
        return ()

    def finish(self, compared: Compared) -> Iterable[Finding]:
        """What can only be said of all the rows together."""
        del compared
        return ()

    def facts(self) -> Iterable[tuple[str, str]]:
        """Names and values that describe the data, without a judgement."""
        return ()


class Check(Protocol):
    """A kind of fault that training data may have."""

    @property
    def name(self) -> str:
        """The check's name."""
        ...

    @property
    def about(self) -> str:
        """What it looks for, in a few words."""
        ...

    def begin(self, settings: CheckSettings) -> Inspection:
        """A new inspection, which keeps what it must for as long as one linting lasts."""
        ...


@cache
def checks() -> PluginRegistry[Check]:
    """The process's checks, every one that an installed distribution declares.

    Raises:
        UsageError: two of them declare one name.
    """
    return PluginRegistry("check of data", ENTRY_POINT_GROUP)


def found(
    row: DataRow | str, code: str, what: str, *others: str, level: Level = "warning"
) -> Finding:
    """A finding at a row, and at the places of others."""
    place = row if isinstance(row, str) else row.place
    return Finding("", code, what, (place, *others), level)
