"""A plan: everything one target will be asked."""

from __future__ import annotations

from dataclasses import dataclass

from harness.records.suite import Case, Message
from harness.records.target import Generation, Identity


@dataclass(frozen=True, slots=True)
class Ask:
    """One planned request; `key` is the digest of all that its answer depends on."""

    key: str
    suite: str
    section: str
    case: Case
    repeat: int
    messages: tuple[Message, ...]
    seed: int


@dataclass(frozen=True, slots=True)
class Plan:
    """The asks of one target, with the run they belong to."""

    run_id: str
    target: str
    identity: Identity
    generation: Generation
    system_prompts: dict[str, str | None]
    suite_digests: dict[str, str]
    asks: tuple[Ask, ...]
    selection: dict[str, str]
