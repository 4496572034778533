"""Three kinds of section that no line of the package knows, each in a file of its own."""

from __future__ import annotations

from harness.sections.section_kinds import register
from tests.sections.kinds.critique import CritiqueKind
from tests.sections.kinds.nats import NatsKind
from tests.sections.kinds.program import ProgramKind


def register_all() -> None:
    """Make them known to this process, as an entry point of a distribution would."""
    for kind in (CritiqueKind(), ProgramKind(), NatsKind()):
        register(kind)
