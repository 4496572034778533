"""A plan: everything one target will be asked."""

from __future__ import annotations

from dataclasses import dataclass

from harness.records.asks import Asks
from harness.records.target import Generation, Identity


@dataclass(frozen=True, slots=True)
class Plan:
    """The asks of one target, with the run they belong to."""

    run_id: str
    target: str
    identity: Identity
    generation: Generation
    system_prompts: dict[str, str | None]
    suite_digests: dict[str, str]
    asks: Asks
    selection: dict[str, str]
