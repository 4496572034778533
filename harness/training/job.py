"""A training job: one recipe with its base and data, read, checked and divided by group."""

from __future__ import annotations

import json
import os.path
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field, ValidationError, field_validator, model_validator

from harness.errors import RecipeError, UsageError
from harness.files import digest_json, file_digest, read_text
from harness.hub.resolve import ModelFolder, find
from harness.model_files import (
    ADAPTER_CONFIG,
    ADAPTER_WEIGHTS,
    chat_template_digest,
    is_base,
    model_digest,
)
from harness.records.base import Record, explain
from harness.records.run import Watcher
from harness.records.suite import Message
from harness.training.candidate import DOSSIER, Dossier, Recipe, Split

SHAPE = '{"group": "...", "messages": [{"role": "user", "content": "..."}, ...]}'


class Conversation(Record):
    """One line of a data file; `group` names its family of paraphrases."""

    group: str = Field(min_length=1)
    messages: tuple[Message, ...] = Field(min_length=2)

    @field_validator("group")
    @classmethod
    def _trim(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("must not be blank")
        return value.strip()

    @model_validator(mode="after")
    def _has_an_answer(self) -> Conversation:
        if self.messages[-1].role != "assistant":
            raise ValueError("messages: the last one must be the assistant's")
        if any(turn.role == "system" for turn in self.messages[1:]):
            raise ValueError("messages: only the first one may be the system's")
        return self


@dataclass(frozen=True, slots=True)
class Divided:
    """Conversations on both sides, with the record of the split."""

    train: tuple[Conversation, ...]
    validation: tuple[Conversation, ...]
    split: Split


def project_path(project_dir: Path, given: str, where: str) -> Path:
    """The path a recipe means: relative to the project and within it, or absolute anywhere.

    Raises:
        RecipeError: a relative path that leaves the project.
    """
    if Path(os.path.normpath(given)).parts[:1] == (os.pardir,):
        raise RecipeError(
            f"`{given}` leaves the project",
            where=where,
            hint="write an absolute path if that is meant",
        )
    return project_dir / given


def read_data(recipe: Recipe, project_dir: Path) -> tuple[Conversation, ...]:
    """Every conversation of the recipe's files, in order, with its system prompt put first.

    Raises:
        RecipeError: a path that leaves the project, a missing or empty file, or a line that is no
            conversation.
    """
    return tuple(one for _, one in _read_data(recipe, project_dir))


def _read_data(recipe: Recipe, project_dir: Path) -> list[tuple[str, Conversation]]:
    """Every conversation with its file and line."""
    found: list[tuple[str, Conversation]] = []
    where = f"recipe {recipe.name}: data"
    for name in recipe.data:
        path = project_path(project_dir, name, where)
        if not path.is_file():
            hint = "paths are relative to the project"
            raise RecipeError(f"no such data file: {name}", where=where, hint=hint)
        found.extend(_read_file(path, name))
    if not recipe.system_prompt:
        return found
    system = Message(role="system", content=recipe.system_prompt)
    return [
        (place, one)
        if one.messages[0].role == "system"
        else (place, Conversation(group=one.group, messages=(system, *one.messages)))
        for place, one in found
    ]


def _read_file(path: Path, name: str) -> list[tuple[str, Conversation]]:
    found: list[tuple[str, Conversation]] = []
    try:
        text = read_text(path)
    except UsageError as error:
        raise RecipeError(error.what, where=name, hint=error.hint) from None
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        where = f"{name}:{number}"
        try:
            found.append((where, Conversation.model_validate(json.loads(line))))
        except json.JSONDecodeError as error:
            raise RecipeError(
                f"not JSON: {error.msg} at column {error.colno}", where=where, hint=SHAPE
            ) from None
        except ValidationError as error:
            raise RecipeError(explain(error), where=where, hint=SHAPE) from None
    if not found:
        raise RecipeError("holds no conversation", where=name, hint=SHAPE)
    return found


def divide(conversations: Sequence[Conversation], share: float, seed: int) -> Divided:
    """The conversations split so that every group is wholly on one side.

    Whole groups, in an order that the seed decides, go to validation until it holds `share` of
    the conversations; both sides keep at least one group.

    Raises:
        RecipeError: fewer than two groups.
    """
    sizes = Counter(one.group for one in conversations)
    if len(sizes) < 2:
        raise RecipeError(
            f"{len(sizes)} group in the data: none is free for validation",
            where="data",
            hint="give each family of paraphrases a `group` of its own",
        )
    order = sorted(sizes)
    random.Random(f"split/{seed}").shuffle(order)  # noqa: S311 - reproducible, not secret
    wanted, held, chosen = share * len(conversations), 0, set[str]()
    for group in order[:-1]:
        if chosen and held + sizes[group] > wanted:
            break
        chosen.add(group)
        held += sizes[group]
    train = tuple(one for one in conversations if one.group not in chosen)
    validation = tuple(one for one in conversations if one.group in chosen)
    split = Split(
        train_conversations=len(train),
        validation_conversations=len(validation),
        train_groups=len(sizes) - len(chosen),
        validation_groups=tuple(sorted(chosen)),
    )
    return Divided(train, validation, split)


@dataclass(frozen=True, slots=True)
class TrainingJob:
    """The inputs of a training, and its folders; `places` are file and line of the data.

    `base_source` is the base's `ORG/NAME@commit` where it is from a hub.
    """

    recipe: Recipe
    base: Path
    conversations: tuple[Conversation, ...]
    places: tuple[str, ...]
    recipe_hash: str
    data_hash: str
    base_digest: str
    chat_template: str | None
    folder: Path
    base_source: str | None = None

    @property
    def work(self) -> Path:
        """Where checkpoints live while the training is unfinished."""
        return self.folder / ".training"

    @property
    def key(self) -> str:
        """The digest of all inputs: checkpoints with another key cannot be used."""
        return digest_json([self.recipe_hash, self.data_hash, self.base_digest, self.chat_template])


def candidate_folder(project_dir: Path, recipe: Recipe) -> Path:
    """Where the recipe's candidate is, or will be."""
    return project_dir / ".harness" / "candidates" / recipe.name


def find_base(recipe: Recipe, project_dir: Path, watcher: Watcher | None = None) -> ModelFolder:
    """The folder of the recipe's base, fetched if it is named on a hub; it need not be there.

    Raises:
        RecipeError: a relative path that leaves the project.
        UsageError, InfrastructureError: as `harness.hub.resolve.find`.
    """
    where = f"recipe {recipe.name}: base"
    found = find(recipe.base, project_dir, "model", where, watcher)
    return found or ModelFolder(project_path(project_dir, recipe.base, where))


def prepare(recipe: Recipe, project_dir: Path) -> TrainingJob:
    """Everything a training needs, read and checked, nothing trained yet.

    Raises:
        RecipeError: a path that leaves the project, missing base or data, or a line that is no
            conversation.
        UsageError, InfrastructureError: a base on a hub cannot be had.
    """
    # Before the base, which may be fetched from far away.
    places, conversations = zip(*_read_data(recipe, project_dir), strict=True)
    found = find_base(recipe, project_dir)
    base = found.path
    if not (base / "config.json").is_file():
        raise RecipeError(
            f"no base model at {recipe.base}",
            where=f"recipe {recipe.name}: base",
            hint="build or copy one there first (`harness demo` builds the demo's); a model on a "
            "hub is written `ORG/NAME`",
        )
    return TrainingJob(
        recipe=recipe,
        base=base,
        conversations=conversations,
        places=places,
        # Where the losses are reported to as well changes nothing that is learnt.
        recipe_hash=digest_json(recipe.model_dump(mode="json", exclude={"report_to"})),
        data_hash=digest_json([one.model_dump(mode="json") for one in conversations]),
        base_digest=model_digest(base),
        chat_template=chat_template_digest(base),
        folder=candidate_folder(project_dir, recipe),
        base_source=found.source,
    )


def load_dossier(job: TrainingJob) -> Dossier | None:
    """The dossier on disk if it is of this job and of the adapter beside it, else nothing."""
    try:
        found = Dossier.model_validate_json((job.folder / DOSSIER).read_bytes())
        wanted = (job.recipe_hash, job.data_hash, job.recipe.seed)
        same = (
            wanted == (found.recipe_hash, found.data_hash, found.seed)
            and is_base(job.base, found.base_digest, found.chat_template)
            and found.adapter_digest == file_digest(job.folder / ADAPTER_WEIGHTS)
        )
        return found if same and (job.folder / ADAPTER_CONFIG).is_file() else None
    except (OSError, ValueError):  # pydantic's error is a ValueError
        return None
