"""A plan: everything one target will be asked."""

from __future__ import annotations

from dataclasses import dataclass

from harness.records.asks import Asks, ListedAsks
from harness.records.target import Generation, Identity


@dataclass(frozen=True, slots=True)
class Plan:
    """The asks of one target, with the run they belong to.

    They are `scored` where the answer to each gives the score of a case.
    """

    run_id: str
    target: str
    identity: Identity
    generation: Generation
    system_prompts: dict[str, str | None]
    suite_digests: dict[str, str]
    asks: Asks | ListedAsks
    selection: dict[str, str]
    scored: bool = True
