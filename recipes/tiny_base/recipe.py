"""The recipe of a tiny base model, and the card of what was built by it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from harness.records.base import Record
from harness.training.candidate import Name, Positive, read_recipe


class TinyRecipe(Record):
    """A small chat model to build from scratch, as written in `recipes/tiny.yaml`."""

    name: Name = "tiny"
    vocabulary: int = Field(default=1536, ge=300)
    hidden: Positive = 192
    intermediate: Positive = 512
    layers: Positive = 4
    heads: Positive = 6
    context: Positive = 512
    conversations: Positive = 20000
    copying_steps: int = Field(default=200, ge=0)
    steps: Positive = 400
    batch_size: Positive = 32
    learning_rate: float = Field(default=5e-3, gt=0.0)
    warmup_steps: int = Field(default=50, ge=0)
    weight_decay: float = Field(default=0.01, ge=0.0)
    prompt_loss: float = Field(default=0.1, ge=0.0, le=1.0)
    seed: int = Field(default=0, ge=0, lt=2**32)

    @model_validator(mode="after")
    def _heads_divide(self) -> TinyRecipe:
        if self.hidden % self.heads or (self.hidden // self.heads) % 2:
            raise ValueError("hidden must be an even multiple of heads")
        return self


class BaseModelCard(Record):
    """What is known about a model that was built here, kept in `model.json`."""

    schema_version: Literal[1] = 1
    name: str
    recipe_hash: str
    corpus_hash: str
    seed: int
    parameters: int = Field(gt=0)
    steps: int = Field(gt=0)
    final_loss: float
    weights_digest: str
    seconds: float = Field(ge=0.0)
    versions: dict[str, str]
    created: str


def load_recipe(path: Path) -> TinyRecipe:
    """The recipe in a YAML file.

    Raises:
        RecipeError: missing file, bad YAML, an unknown key, or a value that does not fit.
    """
    return read_recipe(TinyRecipe, path)
