"""A trained adapter: the recipe it follows and its dossier."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, Field, field_validator, model_validator

from harness.errors import RecipeError
from harness.files import read_bytes
from harness.records.base import MODEL_FORM, Record, read_record
from harness.training.data_record import TrainedData
from harness.yaml_files import model_schema, one_file, read_yaml

AnyRecipe = TypeVar("AnyRecipe", bound=Record)
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def checked_name(value: str) -> str:
    """The value, if it can be the name of one folder."""
    if not NAME.fullmatch(value):
        raise ValueError(
            f"{value!r} is no name: letters, digits, '.', '_' and '-' only, and no slash"
        )
    return value


# Keys of a recipe that change nothing that is learnt.
SAID_ONLY = frozenset({"report_to", "lint_ignore", "lint_ignored_by", "licences", "why"})

# What a chat template is given by the renderer itself.
RENDERERS_OWN = (
    "messages", "conversation", "chat_template", "tokenize", "add_generation_prompt",
    "continue_final_message", "tools", "documents",
)  # fmt: skip


Tracker = Literal["mlflow", "tensorboard", "wandb"]
# Those of TRL's losses of preferences that need no more settings than `beta`.
LossType = Literal["sigmoid", "hinge", "ipo", "apo_zero", "apo_down", "sppo_hard", "nca_pair"]
Positive = Annotated[int, Field(gt=0)]
Name = Annotated[str, AfterValidator(checked_name)]


def _left_out(value: object) -> bool:
    """Whether a key is not there: a recipe without it has the digest of before there was one."""
    return not value


def _unknown(value: object) -> bool:
    """Whether a number is not there: curves of other methods are written as before."""
    return value is None


class Recipe(Record):
    """One adapter to train, as written in `recipes/<name>.yaml`."""

    name: Name
    base: str = Field(description=MODEL_FORM)
    data: tuple[str, ...] = Field(min_length=1)
    system_prompt: str = ""
    system_as: Literal["user"] | None = Field(default=None, exclude_if=_left_out)
    chat_template_kwargs: dict[str, str | int | float | bool] = Field(
        default_factory=dict, exclude_if=_left_out
    )
    method: Literal["lora", "qlora", "dpo"] = "lora"
    beta: float | None = Field(default=None, gt=0.0, exclude_if=_left_out)
    loss_type: LossType | None = Field(default=None, exclude_if=_left_out)
    load_in_4bit: bool = Field(default=False, exclude_if=_left_out)
    start_from: str | None = Field(default=None, exclude_if=_left_out)
    rank: Positive = 16
    alpha: Positive = 32
    dropout: float = Field(default=0.0, ge=0.0, lt=1.0)
    target_modules: Literal["all-linear"] | tuple[str, ...] = "all-linear"
    dora: bool = Field(default=False, exclude_if=_left_out)
    rslora: bool = Field(default=False, exclude_if=_left_out)
    modules_to_save: tuple[str, ...] = Field(default=(), exclude_if=_left_out)
    neftune_alpha: float | None = Field(default=None, gt=0.0, exclude_if=_left_out)
    gradient_checkpointing: bool = Field(default=False, exclude_if=_left_out)
    packing: bool = Field(default=False, exclude_if=_left_out)
    precision: Literal["auto", "bf16", "fp16", "fp32"] = Field(
        default="auto", exclude_if=lambda chosen: chosen == "auto"
    )
    learning_rate: float = Field(default=2e-4, gt=0.0)
    schedule: Literal["linear", "cosine", "constant"] = "cosine"
    warmup_steps: int = Field(default=0, ge=0)
    weight_decay: float = Field(default=0.0, ge=0.0)
    adam_beta2: float = Field(default=0.999, gt=0.0, lt=1.0)
    steps: Positive | None = None
    epochs: float | None = Field(default=None, gt=0.0)
    batch_size: Positive = 16
    gradient_accumulation: Positive = 1
    max_length: Positive = 512
    validation_share: float = Field(default=0.1, gt=0.0, lt=1.0)
    evaluate_every: Positive = 50
    patience: Positive | None = None
    checkpoint_every: Positive = 100
    report_to: tuple[Tracker, ...] = Field(default=(), exclude_if=_left_out)
    lint_ignore: tuple[str, ...] = Field(default=(), exclude_if=_left_out)
    lint_ignored_by: str = Field(default="", exclude_if=_left_out)
    licences: dict[str, str] = Field(default_factory=dict, exclude_if=_left_out)
    why: str = Field(default="", exclude_if=_left_out)
    seed: int = Field(default=0, ge=0, lt=2**32)

    @field_validator("chat_template_kwargs")
    @classmethod
    def _not_the_renderers(cls, given: dict[str, Any]) -> dict[str, Any]:
        taken = next((name for name in RENDERERS_OWN if name in given), None)
        if taken is not None:
            raise ValueError(f"`{taken}` is not the template's to choose")
        return given

    @model_validator(mode="after")
    def _one_length(self) -> Recipe:
        if (self.steps is None) == (self.epochs is None):
            raise ValueError("give either steps or epochs, and not both")
        return self

    @model_validator(mode="after")
    def _keys_of_preferences(self) -> Recipe:
        keys = ("beta", "loss_type", "load_in_4bit", "start_from")
        given = next((key for key in keys if getattr(self, key)), None)
        if self.method != "dpo" and given is not None:
            instead = "; write `method: qlora`" if given == "load_in_4bit" else ""
            raise ValueError(f"`{given}` is for `method: dpo`{instead}")
        # TRL switches dropout off there: answers are held against a reference without any.
        unheeded = ("neftune_alpha", "packing", "dropout")
        other = next((key for key in unheeded if getattr(self, key)), None)
        if self.method == "dpo" and other is not None:
            raise ValueError(f"`{other}` is not for `method: dpo`")
        return self

    @model_validator(mode="after")
    def _licences_of_its_data(self) -> Recipe:
        other = next((name for name in self.licences if name not in self.data), None)
        if other is not None:
            raise ValueError(f"licences: `{other}` is none of the files of `data`")
        return self

    @property
    def quantized(self) -> bool:
        """Whether the base is held in 4 bits while training."""
        return self.method == "qlora" or self.load_in_4bit


def load_recipe(path: Path) -> Recipe:
    """The adapter recipe in a YAML file.

    Raises:
        RecipeError: missing file, bad YAML, an unknown key, or a value that does not fit.
    """
    return read_recipe(Recipe, path)


def read_recipe(kind: type[AnyRecipe], path: Path) -> AnyRecipe:
    """The recipe of that kind in a YAML file.

    Raises:
        RecipeError: missing file, bad YAML, an unknown key, or a value that does not fit.
    """
    file = read_yaml(path, RecipeError)
    return read_record(kind, file, RecipeError, hint="docs/training.md lists the keys")


def recipe_schema() -> dict[str, Any]:
    """The JSON schema of a recipe's file."""
    return one_file("recipe", model_schema(Recipe))


DOSSIER, CURVES = "candidate.json", "curves.json"


class Split(Record):
    """How the data was divided; no group is on both sides."""

    train_conversations: int = Field(ge=0)
    validation_conversations: int = Field(ge=0)
    train_groups: int = Field(ge=0)
    validation_groups: tuple[str, ...]


class Learnt(Record):
    """What the loss of a training covers: the assistant's words and the end of its turns.

    `found` is by what they were found: marks in the chat template, or the rendered prefix. Counts
    are of the examples trained on, after they were cut to `max_length`; of preferences, an example
    is a pair, and both answers count. `first_example` is a text with what is learnt between ⟦ and
    ⟧, `first_rejected` its rejected answer; `notes` are sentences on template and special tokens.
    """

    found: Literal["marks", "prefix"]
    examples: int = Field(ge=1)
    tokens: int = Field(ge=1)
    learnt_tokens: int = Field(ge=1)
    end_of_turn: str
    end_of_turn_id: int = Field(ge=0)
    first_example: str
    first_rejected: str | None = Field(default=None, exclude_if=_left_out)
    notes: tuple[str, ...] = ()


class Dossier(Record):
    """What a candidate was trained from and how, kept in `candidate.json` beside its adapter.

    `base_digest` and `chat_template` are the digests of the base as an identity has them, and
    `base_source` is where a hub had it; `start_digest` is of the adapter that it started from.
    `best_step` and its loss are of the adapter that is kept: the best one of a recipe with
    `patience`, else the last.
    Dossiers that were written before have an earlier digest, and the template in it, and do not
    say what was `learnt`, nor what the `data` was.
    """

    schema_version: Literal[1] = 1
    name: str
    recipe: Recipe
    recipe_hash: str
    data_hash: str
    base: str
    base_digest: str
    base_source: str | None = Field(default=None, exclude_if=lambda source: source is None)
    chat_template: str | None = None
    start_digest: str | None = Field(default=None, exclude_if=_unknown)
    adapter_digest: str
    split: Split
    learnt: Learnt | None = None
    data: TrainedData | None = Field(default=None, exclude_if=_unknown)
    seed: int
    steps_done: int = Field(ge=0)
    best_step: int = Field(ge=0)
    best_validation_loss: float
    stopped_early: bool
    resumed_from: int = Field(default=0, ge=0)
    processes: int = Field(default=1, ge=1, exclude_if=lambda number: number == 1)
    seconds: float = Field(ge=0.0)
    versions: dict[str, str]
    created: str


def read_dossier(folder: Path) -> Dossier | None:
    """The dossier in a candidate's folder; None where there is none that can be read."""
    data = read_bytes(folder / DOSSIER)
    try:
        return None if data is None else Dossier.model_validate_json(data)
    except ValueError:
        return None


class CurvePoint(Record):
    """What is known at one step: the losses, in nats per answer token, or in DPO's own unit.

    Of preferences also the share of pairs whose chosen answer gained more over the reference than
    the rejected one, and by how much on average: `beta` times the difference of the gains in nats.
    """

    step: int = Field(ge=0)
    train: float | None = None
    validation: float | None = None
    train_accuracy: float | None = Field(default=None, exclude_if=_unknown)
    validation_accuracy: float | None = Field(default=None, exclude_if=_unknown)
    train_margin: float | None = Field(default=None, exclude_if=_unknown)
    validation_margin: float | None = Field(default=None, exclude_if=_unknown)


class Curves(Record):
    """The loss curves of one training, kept in `curves.json`."""

    points: tuple[CurvePoint, ...]
