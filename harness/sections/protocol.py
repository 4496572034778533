"""What a kind of section is."""

from __future__ import annotations

from typing import Protocol

from pydantic import BaseModel

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
        """The key that only a section of this kind has."""
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
