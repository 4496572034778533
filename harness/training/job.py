"""A training job: one recipe with its base and data, read and checked; and its dossier."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from harness.errors import RecipeError
from harness.files import digest_json, file_digest
from harness.model_files import (
    ADAPTER_CONFIG,
    ADAPTER_WEIGHTS,
    chat_template_digest,
    is_base,
    model_digest,
)
from harness.records.base import read_record
from harness.training.candidate import DOSSIER, Dossier, Recipe
from harness.training.data import Conversation, data_hash, project_path, read_data
from harness.yaml_files import read_yaml


@dataclass(frozen=True, slots=True)
class TrainingJob:
    """The inputs of a training, and its folders."""

    recipe: Recipe
    base: Path
    conversations: tuple[Conversation, ...]
    recipe_hash: str
    data_hash: str
    base_digest: str
    chat_template: str | None
    folder: Path

    @property
    def work(self) -> Path:
        """Where checkpoints live while the training is unfinished."""
        return self.folder / ".training"

    @property
    def key(self) -> str:
        """The digest of all inputs: checkpoints with another key cannot be used."""
        return digest_json([self.recipe_hash, self.data_hash, self.base_digest, self.chat_template])


def load_recipe(path: Path) -> Recipe:
    """The adapter recipe in a YAML file.

    Raises:
        RecipeError: missing file, bad YAML, an unknown key, or a value that does not fit.
    """
    file = read_yaml(path, RecipeError)
    return read_record(Recipe, file, RecipeError, hint="docs/training.md lists the keys")


def prepare(recipe: Recipe, project_dir: Path) -> TrainingJob:
    """Everything a training needs, read and checked, nothing trained yet.

    Raises:
        RecipeError: a path that leaves the project, missing base or data, or a line that is no
            conversation.
    """
    base = project_path(project_dir, recipe.base, f"recipe {recipe.name}: base")
    if not (base / "config.json").is_file():
        raise RecipeError(
            f"no base model at {recipe.base}",
            where=f"recipe {recipe.name}: base",
            hint="build or copy one there first; `harness demo` builds the demo's",
        )
    conversations = read_data(recipe, project_dir)
    return TrainingJob(
        recipe=recipe,
        base=base,
        conversations=conversations,
        recipe_hash=digest_json(recipe.model_dump(mode="json")),
        data_hash=data_hash(conversations),
        base_digest=model_digest(base),
        chat_template=chat_template_digest(base),
        folder=project_dir / ".harness" / "candidates" / recipe.name,
    )


def load_dossier(job: TrainingJob) -> Dossier | None:
    """The dossier on disk if it is of this job and of the adapter beside it, else nothing."""
    try:
        text = (job.folder / DOSSIER).read_text(encoding="utf-8")
        found = Dossier.model_validate_json(text)
        asked = (job.recipe_hash, job.data_hash, job.recipe.seed)
        made = (found.recipe_hash, found.data_hash, found.seed)
        same_base = is_base(job.base, found.base_digest, found.chat_template)
        same = (
            asked == made
            and same_base
            and found.adapter_digest == file_digest(job.folder / ADAPTER_WEIGHTS)
        )
        return found if same and (job.folder / ADAPTER_CONFIG).is_file() else None
    except (OSError, ValueError, ValidationError):
        return None
