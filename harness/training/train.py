"""Train one candidate from one recipe: check, train, write its dossier."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from harness.clock import SYSTEM_CLOCK, iso
from harness.errors import TrainingError
from harness.files import exclusive, file_digest, write_atomic
from harness.model_files import ADAPTER_CONFIG, ADAPTER_WEIGHTS
from harness.training.candidate import CURVES, DOSSIER, Curves, Dossier, Recipe
from harness.training.curves import draw_losses
from harness.training.job import Divided, TrainingJob, divide, load_dossier, prepare
from harness.training.libraries import PACKAGES, OnProgress, OnSay, silent, unheard
from harness.version import installed_versions

LOCK = ".lock"


def train(
    recipe: Recipe,
    *,
    project_dir: Path,
    force: bool = False,
    processes: int = 1,
    on_progress: OnProgress = silent,
    on_say: OnSay = unheard,
) -> Dossier:
    """The dossier of the candidate in `.harness/candidates/<name>/`, trained unless it is there.

    A candidate counts as there when recipe, data, base and seed are those of its dossier and the
    adapter is still the file that the dossier describes. An interrupted training goes on from its
    last complete checkpoint. What a training learns is said to `on_say` before its first step.
    With more `processes` than one, each step's examples are divided among them, a GPU each.

    Raises:
        RecipeError: missing base or data, a line that is no conversation, no group to spare, a chat
            template that does not suit the data.
        TrainingError: the training itself failed, or another process is at it.
        UsageError: there are GPUs, and fewer than `processes`.
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
        return _train(job, divided, processes, on_progress, on_say)


def _train(
    job: TrainingJob, divided: Divided, processes: int, on_progress: OnProgress, on_say: OnSay
) -> Dossier:
    recipe = job.recipe
    started = time.perf_counter()

    from harness.training.fit import fit
    from harness.training.ranks import fit_in_processes, several_gpus

    if processes > 1 or several_gpus():
        outcome = fit_in_processes(job, divided, processes, on_progress, on_say)
    else:
        outcome = fit(job, divided, on_progress, on_say)
    (job.folder / DOSSIER).unlink(missing_ok=True)
    for name in (ADAPTER_WEIGHTS, ADAPTER_CONFIG):
        write_atomic(job.folder / name, (outcome.adapter / name).read_bytes())
    curves = Curves(points=outcome.points)
    write_atomic(job.folder / CURVES, curves.model_dump_json(indent=1) + "\n")
    write_atomic(job.folder / "curves.svg", draw_losses(curves, recipe, outcome.best_step))
    dossier = Dossier(
        name=recipe.name,
        recipe=recipe,
        recipe_hash=job.recipe_hash,
        data_hash=job.data_hash,
        base=recipe.base,
        base_digest=job.base_digest,
        base_source=job.base_source,
        chat_template=job.chat_template,
        start_digest=job.start_digest,
        adapter_digest=file_digest(job.folder / ADAPTER_WEIGHTS),
        split=divided.split,
        learnt=outcome.learnt,
        seed=recipe.seed,
        steps_done=outcome.steps,
        best_step=outcome.best_step,
        best_validation_loss=outcome.best_loss,
        stopped_early=outcome.stopped_early,
        resumed_from=outcome.resumed_from,
        processes=processes,
        seconds=round(time.perf_counter() - started, 3),
        versions=installed_versions(PACKAGES),
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
