"""One candidate from one recipe: checked, trained, sealed with its dossier."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from harness.clock import SYSTEM_CLOCK, iso
from harness.errors import RecipeError, TrainingError
from harness.files import digest_json, exclusive, file_digest, write_atomic
from harness.model_files import (
    ADAPTER_CONFIG,
    ADAPTER_WEIGHTS,
    chat_template_digest,
    is_base,
    model_digest,
)
from harness.records.candidate import DOSSIER, Curves, Dossier
from harness.records.recipe import Recipe
from harness.training.curves import draw
from harness.training.data import (
    Conversation,
    Divided,
    data_hash,
    divide,
    project_path,
    read_data,
)
from harness.training.progress import OnProgress, package_versions, silent

WORK = ".training"
LOCK = ".lock"


@dataclass(frozen=True, slots=True)
class Job:
    """What a training is made of, and where it works."""

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
        return self.folder / WORK

    @property
    def key(self) -> str:
        """What decides the outcome: checkpoints of another key are of no use."""
        return digest_json([self.recipe_hash, self.data_hash, self.base_digest, self.chat_template])


def train(
    recipe: Recipe,
    *,
    project_dir: Path,
    force: bool = False,
    on_progress: OnProgress = silent,
) -> Dossier:
    """The dossier of the candidate in `.harness/candidates/<name>/`, trained unless it is there.

    A candidate counts as there when recipe, data, base and seed are those of its dossier and the
    adapter is still the file that the dossier describes. An interrupted training goes on from its
    last complete checkpoint.

    Raises:
        RecipeError: missing base or data, a line that is no conversation, no group to spare.
        TrainingError: the training itself failed, or another process is at it.
    """
    job = prepare(recipe, project_dir)
    known = None if force else load_dossier(job)
    if known is not None:
        stage = f"training {recipe.name}"
        on_progress(stage, known.steps_done, known.steps_done, "as trained before")
        return known
    divided = divide(job.conversations, recipe.validation_share, recipe.seed)
    busy = TrainingError(
        "another process is training this candidate",
        where=str(job.folder),
        hint="wait for it to end",
    )
    with exclusive(job.folder / LOCK, busy):
        _clear(job, force)
        return _train(job, divided, on_progress)


def _train(job: Job, divided: Divided, on_progress: OnProgress) -> Dossier:
    recipe = job.recipe
    started = time.perf_counter()

    from harness.training.sft import fit

    outcome = fit(job, divided, on_progress)
    (job.folder / DOSSIER).unlink(missing_ok=True)
    for name in (ADAPTER_WEIGHTS, ADAPTER_CONFIG):
        write_atomic(job.folder / name, (outcome.adapter / name).read_bytes())
    curves = Curves(points=outcome.points)
    write_atomic(job.folder / "curves.json", curves.model_dump_json(indent=1) + "\n")
    write_atomic(job.folder / "curves.svg", draw(curves, recipe.name))
    dossier = Dossier(
        name=recipe.name,
        recipe=recipe,
        recipe_hash=job.recipe_hash,
        data_hash=job.data_hash,
        base=recipe.base,
        base_digest=job.base_digest,
        chat_template=job.chat_template,
        adapter_digest=file_digest(job.folder / ADAPTER_WEIGHTS),
        split=divided.split,
        seed=recipe.seed,
        steps_done=outcome.steps,
        best_step=outcome.best_step,
        best_validation_loss=outcome.best_loss,
        stopped_early=outcome.stopped_early,
        resumed_from=outcome.resumed_from,
        seconds=round(time.perf_counter() - started, 3),
        versions=package_versions(),
        created=iso(SYSTEM_CLOCK.utc()),
    )
    write_atomic(job.folder / DOSSIER, dossier.model_dump_json(indent=2) + "\n")
    shutil.rmtree(job.work, ignore_errors=True)
    return dossier


def prepare(recipe: Recipe, project_dir: Path) -> Job:
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
    return Job(
        recipe=recipe,
        base=base,
        conversations=conversations,
        recipe_hash=digest_json(recipe.model_dump(mode="json")),
        data_hash=data_hash(conversations),
        base_digest=model_digest(base),
        chat_template=chat_template_digest(base),
        folder=project_dir / ".harness" / "candidates" / recipe.name,
    )


def load_dossier(job: Job) -> Dossier | None:
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


def _clear(job: Job, force: bool) -> None:
    """Make the work folder ready: another job's checkpoints go, this one's stay."""
    mark = job.work / "job.txt"
    try:
        mine = mark.is_file() and mark.read_text(encoding="utf-8") == job.key
        if job.work.exists() and (force or not mine):
            shutil.rmtree(job.work)
        write_atomic(mark, job.key)
    except OSError as error:
        raise TrainingError(
            f"cannot prepare the work folder: {error.strerror}", where=str(job.work)
        ) from error
