"""Train several candidates in parallel: one process each, which share the cores.

At the size of the demo's model a second thread gains little and a second process a lot. With a
GPU there is one process after the other, since they would only fight for its memory.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

from harness.errors import HarnessError, RecipeError
from harness.hub.resolve import Answers, remember, remembered
from harness.training import child
from harness.training.candidate import Dossier, Recipe
from harness.training.libraries import (
    OnProgress,
    OnSay,
    import_torch_patiently,
    silent,
    unheard,
)
from harness.training.train import train


def train_side_by_side(
    recipes: Sequence[Recipe],
    *,
    project_dir: Path,
    force: bool = False,
    processes: int = 1,
    on_progress: OnProgress = silent,
    on_say: OnSay = unheard,
) -> list[Dossier]:
    """The dossiers of all candidates, in the order of their recipes.

    With more `processes` than one each training has so many, and they come one after the other.

    Whatever else ends this call or this process ends every training at once; each goes on from
    its last checkpoint the next time.

    Raises:
        RecipeError: two recipes of one name.
        RecipeError, TrainingError: as `train`, for the first recipe that fails; the others that
            are under way are finished first, since their work would be lost, and none is started.
    """
    _check_names(recipes)
    cores = os.cpu_count() or 1
    at_once = min(len(recipes), cores)
    if at_once < 2 or processes > 1 or _has_gpu():
        return [
            train(
                recipe,
                project_dir=project_dir,
                force=force,
                processes=processes,
                on_progress=on_progress,
                on_say=on_say,
            )
            for recipe in recipes
        ]
    settings = project_dir, force, max(1, cores // at_once), remembered()
    pool = _Pool(at_once, settings, on_progress, on_say)
    return pool.train(recipes)


def _check_names(recipes: Sequence[Recipe]) -> None:
    names = [recipe.name for recipe in recipes]
    for name in names:
        if names.count(name) > 1:
            raise RecipeError(
                "two recipes of this name would train into one folder",
                where=f"recipe {name}: name",
                hint="give each recipe once, and each a name of its own",
            )


def _has_gpu() -> bool:
    import_torch_patiently()
    import torch

    return bool(torch.cuda.is_available())


class _Pool:
    """Processes that train a recipe each, and report through a pipe of their own."""

    def __init__(
        self,
        at_once: int,
        settings: tuple[Path, bool, int, Answers],
        on_progress: OnProgress,
        on_say: OnSay,
    ) -> None:
        self._at_once = at_once
        self._settings = settings
        self._on_progress = on_progress
        self._on_say = on_say
        self._under_way: dict[Connection[Any, Any], tuple[Recipe, SpawnProcess]] = {}
        self._results: dict[str, Dossier | HarnessError] = {}

    def train(self, recipes: Sequence[Recipe]) -> list[Dossier]:
        """The dossiers in the order of their recipes, or the first recipe's error."""
        waiting = deque(recipes)
        try:
            while True:
                while waiting and len(self._under_way) < self._at_once and not self._failed():
                    self._start(waiting.popleft())
                if not self._under_way:
                    break
                for reports in wait(list(self._under_way)):
                    assert isinstance(reports, Connection)
                    self._receive(reports)
        finally:
            child.kill(process for _, process in self._under_way.values())
        found = [self._results[one.name] for one in recipes if one.name in self._results]
        for result in found:
            if isinstance(result, HarnessError):
                raise result
        return [result for result in found if isinstance(result, Dossier)]

    def _failed(self) -> bool:
        return any(isinstance(result, HarnessError) for result in self._results.values())

    def _start(self, recipe: Recipe) -> None:
        reports, process = child.start(_work, recipe.name, (recipe, *self._settings))
        self._under_way[reports] = recipe, process

    def _receive(self, reports: Connection[Any, Any]) -> None:
        """Take one report; the end of the pipe is the end of the process."""
        recipe, process = self._under_way[reports]
        try:
            report = reports.recv()
        except (EOFError, OSError):
            process.join()
            reports.close()
            del self._under_way[reports]
            self._results.setdefault(recipe.name, child.died(recipe.name, process))
            return
        if isinstance(report, tuple):
            self._on_progress(*report)
        elif isinstance(report, str):
            self._on_say(report)
        else:
            self._results[recipe.name] = report


def _work(
    recipe: Recipe,
    project_dir: Path,
    force: bool,
    threads: int,
    answers: Answers,
    reports: Connection[Any, Any],
) -> None:
    """Train in a process of its own: send progress and words, then the dossier or the error.

    `answers` are a hub's to the process that started this one.
    """
    remember(answers)
    child.obey_parent()
    import_torch_patiently()
    import torch

    torch.set_num_threads(threads)

    def send(stage: str, done: int, total: int, detail: str) -> None:
        reports.send((stage, done, total, detail))

    result: Dossier | HarnessError
    try:
        result = train(
            recipe,
            project_dir=project_dir,
            force=force,
            on_progress=send,
            on_say=reports.send,
        )
    except HarnessError as error:
        result = error
    reports.send(result)
