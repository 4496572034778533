"""A measurement of latency: what was asked of whom, under which settings, and how far it came."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from harness.records.base import Record
from harness.records.latency import Arm, LatencySettings
from harness.records.load import Load
from harness.records.run import AdapterProof
from harness.records.target import Identity


class Pace(Record):
    """How a load is put to the server: at which rate, with how many requests that do not count.

    `opening` ones come first in a block, `closing` ones last. `capacity` is what the baseline
    answered a second when it was asked for all it could.
    """

    load: Load
    opening: int = Field(ge=0)
    closing: int = Field(default=0, ge=0)
    rate: float | None = None
    capacity: float | None = None


class Measurement(Record):
    """The header of a measurement; its blocks lie beside it.

    `models` are the arms' names on the server. A `salted` one keeps the prefix caches of blocks
    apart, otherwise each block's prompts are put to the server once before it. `fixed` says that
    the server was told how long answers are. `stopped` is after how many rounds of a load it
    could end before all were measured.
    """

    id: str
    candidate: str
    baseline: str
    models: dict[Arm, str]
    identities: dict[Arm, Identity]
    settings: LatencySettings
    generation: dict[str, Any]
    suites: dict[str, str]
    salted: bool
    fixed: bool
    paces: tuple[Pace, ...] = ()
    adapter_proof: AdapterProof | None = None
    alpha: float = Field(gt=0.0, lt=0.5)
    metrics: tuple[str, ...] = ()
    stopped: dict[str, int] = Field(default_factory=dict)
    finished: bool = False
    config_digest: str
    packages: dict[str, str] = Field(default_factory=dict)
    host: dict[str, str] = Field(default_factory=dict)
    created: str

    def pace(self, load: Load) -> Pace | None:
        """How the load is put to the server, once that is known."""
        return next((pace for pace in self.paces if pace.load == load), None)
