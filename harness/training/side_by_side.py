"""Several candidates at once: one process each, the cores shared out.

At the size of the demo's model a second thread gains little and a second process a lot. With a
GPU there is one process after the other, since they would only fight for its memory.
"""

from __future__ import annotations

import multiprocessing
import os
import queue
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path
from typing import Any

from harness.records.candidate import Dossier
from harness.records.recipe import Recipe
from harness.training.progress import OnProgress, silent
from harness.training.threads import import_torch_patiently
from harness.training.train import train

POLL_SECONDS = 0.2

Report = tuple[str, int, int, str]


def train_side_by_side(
    recipes: Sequence[Recipe],
    *,
    project_dir: Path,
    force: bool = False,
    on_progress: OnProgress = silent,
) -> list[Dossier]:
    """The dossiers of all candidates, in the order of their recipes.

    Raises:
        RecipeError, TrainingError: as `train`, for the first recipe that fails; the others that
            are under way are finished first, since their work would be lost.
    """
    at_once = min(len(recipes), os.cpu_count() or 1)
    if at_once < 2 or _has_gpu():
        return [
            train(recipe, project_dir=project_dir, force=force, on_progress=on_progress)
            for recipe in recipes
        ]
    threads = max(1, (os.cpu_count() or 1) // at_once)
    context = multiprocessing.get_context("spawn")
    with context.Manager() as manager:
        reports = manager.Queue()
        with ProcessPoolExecutor(at_once, context, _limit_threads, (threads,)) as pool:
            jobs = [pool.submit(_train, recipe, project_dir, force, reports) for recipe in recipes]
            _pass_on(jobs, reports, on_progress)
            return [job.result() for job in jobs]


def _has_gpu() -> bool:
    import_torch_patiently()
    import torch

    return bool(torch.cuda.is_available())


def _limit_threads(threads: int) -> None:
    import_torch_patiently()
    import torch

    torch.set_num_threads(threads)


def _train(recipe: Recipe, project_dir: Path, force: bool, reports: Any) -> Dossier:
    def tell(stage: str, done: int, total: int, detail: str) -> None:
        reports.put((stage, done, total, detail))

    return train(recipe, project_dir=project_dir, force=force, on_progress=tell)


def _pass_on(jobs: Sequence[Future[Dossier]], reports: Any, on_progress: OnProgress) -> None:
    """Hand reports to the caller, in its own process, until every job is over."""
    while True:
        over = all(job.done() for job in jobs)
        try:
            while True:
                on_progress(*reports.get(timeout=0.0 if over else POLL_SECONDS))
        except queue.Empty:
            if over:
                return
