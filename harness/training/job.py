"""A training job: one recipe with its base and data, read, checked and divided by group."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import RecipeError
from harness.files import digest_json, file_digest
from harness.hub.client import Kind
from harness.hub.resolve import ModelFolder, find
from harness.model_files import (
    ADAPTER_CONFIG,
    ADAPTER_WEIGHTS,
    AS_SAFETENSORS,
    chat_template_digest,
    is_base,
    model_digest,
    pickles_alone,
)
from harness.records.run import Watcher
from harness.training.candidate import DOSSIER, SAID_ONLY, Dossier, Recipe, Split
from harness.training.data_files import Conversation, project_path, read_placed
from harness.training.start import find_start


@dataclass(frozen=True, slots=True)
class Divided:
    """Conversations on both sides, with the record of the split."""

    train: tuple[Conversation, ...]
    validation: tuple[Conversation, ...]
    split: Split


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

    `base_source` is the base's `ORG/NAME@commit` where it is from a hub; `start` is the folder of
    the adapter that the training goes on from.
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
    start: Path | None = None
    start_digest: str | None = None

    @property
    def work(self) -> Path:
        """Where checkpoints live while the training is unfinished."""
        return self.folder / ".training"

    @property
    def key(self) -> str:
        """The digest of all inputs: checkpoints with another key cannot be used."""
        inputs = [self.recipe_hash, self.data_hash, self.base_digest, self.chat_template]
        return digest_json([*inputs, self.start_digest] if self.start_digest else inputs)


def candidate_folder(project_dir: Path, recipe: Recipe) -> Path:
    """Where the recipe's candidate is, or will be."""
    return project_dir / ".harness" / "candidates" / recipe.name


def find_base(
    recipe: Recipe, project_dir: Path, watcher: Watcher | None = None, kind: Kind = "model"
) -> ModelFolder:
    """The folder of the recipe's base; what `kind` names is fetched if it is named on a hub.

    A folder of the project need not be there.

    Raises:
        RecipeError: a relative path that leaves the project.
        UsageError, InfrastructureError: as `harness.hub.resolve.find`.
    """
    where = f"recipe {recipe.name}: base"
    found = find(recipe.base, project_dir, kind, where, watcher)
    return found or ModelFolder(project_path(project_dir, recipe.base, where))


def require_base(recipe: Recipe, project_dir: Path, kind: Kind = "model") -> ModelFolder:
    """The folder of the recipe's base, which has a config.json; see `find_base`.

    Raises:
        RecipeError: it has none, its weights are pickles, or the path leaves the project.
        UsageError, InfrastructureError: a base on a hub cannot be had.
    """
    where = f"recipe {recipe.name}: base"
    found = find_base(recipe, project_dir, kind=kind)
    if not (found.path / "config.json").is_file():
        raise RecipeError(
            f"no base model at {recipe.base}",
            where=where,
            hint="build or copy one there first (`harness demo` builds the demo's); a model on a "
            "hub is written `ORG/NAME`",
        )
    # Before the tokenizer is missed: such a folder is of no use with one either.
    if problem := pickles_alone(found.path):
        raise RecipeError(f"{recipe.base}: {problem}", where=where, hint=AS_SAFETENSORS)
    return found


def prepare(recipe: Recipe, project_dir: Path) -> TrainingJob:
    """Everything a training needs, read and checked, nothing trained yet.

    Raises:
        RecipeError: a path that leaves the project, missing base or data, or a line that is no
            conversation.
        UsageError, InfrastructureError: a base on a hub cannot be had.
    """
    # Before the base, which may be fetched from far away.
    places, conversations = zip(*read_placed(recipe, project_dir), strict=True)
    found = require_base(recipe, project_dir)
    base = found.path
    digest = model_digest(base)
    start, start_digest = find_start(recipe, project_dir, digest) or (None, None)
    return TrainingJob(
        recipe=recipe,
        base=base,
        conversations=conversations,
        places=places,
        recipe_hash=digest_json(recipe.model_dump(mode="json", exclude=set(SAID_ONLY))),
        data_hash=digest_json([one.model_dump(mode="json") for one in conversations]),
        base_digest=digest,
        chat_template=chat_template_digest(base),
        folder=candidate_folder(project_dir, recipe),
        base_source=found.source,
        start=start,
        start_digest=start_digest,
    )


def load_dossier(job: TrainingJob) -> Dossier | None:
    """The dossier on disk if it is of this job and of the adapter beside it, else nothing."""
    try:
        found = Dossier.model_validate_json((job.folder / DOSSIER).read_bytes())
        wanted = (job.recipe_hash, job.data_hash, job.recipe.seed)
        same = (
            wanted == (found.recipe_hash, found.data_hash, found.seed)
            and job.start_digest == found.start_digest
            and is_base(job.base, found.base_digest, found.chat_template)
            and found.adapter_digest == file_digest(job.folder / ADAPTER_WEIGHTS)
        )
        return found if same and (job.folder / ADAPTER_CONFIG).is_file() else None
    except (OSError, ValueError):  # pydantic's error is a ValueError
        return None
