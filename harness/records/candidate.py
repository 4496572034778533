"""What is known about a trained adapter: its dossier."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from harness.records.base import Record
from harness.records.recipe import Recipe

DOSSIER = "candidate.json"


class Split(Record):
    """How the data was divided; no group is on both sides."""

    train_conversations: int = Field(ge=0)
    validation_conversations: int = Field(ge=0)
    train_groups: int = Field(ge=0)
    validation_groups: tuple[str, ...]


class Dossier(Record):
    """What a candidate was trained from and how, kept in `candidate.json` beside its adapter.

    `base_digest` and `chat_template` are the digests of the base as an identity has them. Dossiers
    that were written before have an earlier digest, and the template in it.
    """

    schema_version: Literal[1] = 1
    name: str
    recipe: Recipe
    recipe_hash: str
    data_hash: str
    base: str
    base_digest: str
    chat_template: str | None = None
    adapter_digest: str
    split: Split
    seed: int
    steps_done: int = Field(ge=0)
    best_step: int = Field(ge=0)
    best_validation_loss: float
    stopped_early: bool
    resumed_from: int = Field(default=0, ge=0)
    seconds: float = Field(ge=0.0)
    versions: dict[str, str]
    created: str


class CurvePoint(Record):
    """The losses known at one step; in nats per answer token."""

    step: int = Field(ge=0)
    train: float | None = None
    validation: float | None = None


class Curves(Record):
    """The loss curves of one training, kept in `curves.json`."""

    points: tuple[CurvePoint, ...]
