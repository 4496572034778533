"""A process that trains nothing: a loop stands in for torch, the rest of the process is real."""

from __future__ import annotations

import sys
import time
from multiprocessing.connection import Connection
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from harness.hub.resolve import Answers
from harness.training import side_by_side
from harness.training.candidate import Dossier, Recipe, Split
from harness.training.job import prepare
from harness.training.libraries import OnProgress, OnSay


def work(
    recipe: Recipe,
    project_dir: Path,
    force: bool,
    threads: int,
    answers: Answers,
    reports: Connection[Any, Any],
) -> None:
    """As the real worker, without its libraries."""
    sys.modules["torch"] = SimpleNamespace(set_num_threads=lambda _: None)  # type: ignore[assignment]  # all that is called
    side_by_side.import_torch_patiently = lambda: None
    side_by_side.train = _train
    side_by_side._work(recipe, project_dir, force, threads, answers, reports)


def _train(
    recipe: Recipe, *, project_dir: Path, force: bool, on_progress: OnProgress, on_say: OnSay
) -> Dossier:
    job = prepare(recipe, project_dir)
    assert recipe.steps is not None
    job.work.mkdir(parents=True, exist_ok=True)
    on_say(f"training {recipe.name}: learns")
    for step in range(1, recipe.steps + 1):
        time.sleep(0.001)
        (job.work / "step.txt").write_text(str(step))
        on_progress(f"training {recipe.name}", step, recipe.steps, "")
    dossier = Dossier(
        name=recipe.name,
        recipe=recipe,
        recipe_hash=job.recipe_hash,
        data_hash=job.data_hash,
        base=recipe.base,
        base_digest=job.base_digest,
        adapter_digest="",
        split=Split(
            train_conversations=1, validation_conversations=1, train_groups=1, validation_groups=()
        ),
        seed=recipe.seed,
        steps_done=recipe.steps,
        best_step=recipe.steps,
        best_validation_loss=0.0,
        stopped_early=False,
        seconds=0.0,
        versions={},
        created="",
    )
    (job.folder / "candidate.json").write_text(dossier.model_dump_json())
    return dossier
