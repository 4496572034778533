"""The Protocols of a kind of section."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from pydantic import BaseModel

from harness.sections.work import SectionWork
from harness.suites.source import LoadedSection, SectionSource


class SectionKind(Protocol):
    """One kind of section: how it is read from a suite.

    A section's `kind:` names it; without one, a section is of the kind whose `key` it has.
    """

    @property
    def name(self) -> str:
        """The kind's name."""
        ...

    @property
    def key(self) -> str:
        """The key that identifies a section of this kind."""
        ...

    @property
    def keys(self) -> type[BaseModel]:
        """The keys of its sections."""
        ...

    def load(self, source: SectionSource) -> LoadedSection:
        """The section that a suite writes.

        Raises:
            SuiteError: one line that names file and key.
        """
        ...


@runtime_checkable
class SectionRunner(Protocol):
    """A kind whose sections are more than one request a case, and which runs them itself.

    It may send requests in rounds, each depending on earlier answers, work in a child process,
    or read records that people made.
    """

    # Whether its work needs a gate's baseline at hand; a run without a gate then leaves it out.
    needs_baseline: bool

    def run(self, work: SectionWork) -> None:
        """Nothing, once the results of each of the work's jobs are kept.

        After an interruption it is called again from its beginning: requests that were answered
        before are answered from the store.

        Raises:
            HarnessError: one line that says what stopped it.
        """
        ...
