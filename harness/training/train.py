"""Train one candidate from one recipe: check, train, write its dossier."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from harness.clock import SYSTEM_CLOCK, iso
from harness.errors import TrainingError
from harness.files import exclusive, file_digest, write_atomic
from harness.model_files import ADAPTER_CONFIG, ADAPTER_WEIGHTS
from harness.training.candidate import DOSSIER, Curves, Dossier, Recipe
from harness.training.curves import draw
from harness.training.data import Divided, divide
from harness.training.job import TrainingJob, load_dossier, prepare
from harness.training.libraries import OnProgress, package_versions, silent

LOCK = ".lock"


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


def _train(job: TrainingJob, divided: Divided, on_progress: OnProgress) -> Dossier:
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


def _clear(job: TrainingJob, force: bool) -> None:
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
