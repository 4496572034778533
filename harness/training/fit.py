"""A training from its data in tokens to its outcome, whatever its method."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import HarnessError, TrainingError, UsageError
from harness.model_files import read_model_shapes
from harness.training.base_model import check_vocabulary, load_base, load_tokenizer
from harness.training.candidate import CurvePoint, Learnt
from harness.training.cautions import cautions
from harness.training.checkpoints import last_checkpoint, step_of
from harness.training.examples import describe
from harness.training.job import Divided, TrainingJob
from harness.training.libraries import (
    OnProgress,
    OnSay,
    import_torch_patiently,
    quiet_libraries,
)
from harness.training.memory import check_memory
from harness.training.method import Data, Method, trainer_arguments
from harness.training.precision import choose_precision, this_device
from harness.training.reporter import curve_points, make_reporter

if TYPE_CHECKING:
    from transformers import TrainerState

# The module of each method; one that trains on a base in 4 bits is the same as one that does not.
METHODS = {
    "lora": "harness.training.sft",
    "qlora": "harness.training.sft",
    "dpo": "harness.training.dpo",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of a training: the best adapter, and its history."""

    adapter: Path
    learnt: Learnt
    points: tuple[CurvePoint, ...]
    steps: int
    best_step: int
    best_loss: float
    stopped_early: bool
    resumed_from: int


def fit(
    job: TrainingJob,
    divided: Divided,
    on_progress: OnProgress,
    on_say: OnSay,
    processes: int = 1,
) -> Outcome:
    """The outcome of training the job's adapter, resumed from its last complete checkpoint.

    What is learnt, and the memory that it takes, is said before the base is loaded. This process
    is one of so many that train it together.

    Raises:
        RecipeError: the base's chat template or modules, or the device, do not suit the recipe.
        TrainingError: there is too little memory, the training diverged, or a library failed.
    """
    import_torch_patiently()
    quiet_libraries()
    recipe, device = job.recipe, this_device()
    precision = choose_precision(recipe, device)
    on_say(f"training {recipe.name}: loading")
    try:
        tokenizer = load_tokenizer(job)
        data = _method(job).read(tokenizer, job, divided)
        on_say(describe(recipe.name, data.learnt))
        if recipe.dora or recipe.modules_to_save:
            what = "DoRA" if recipe.dora else "whole modules"
            on_say(
                f"  note: vLLM serves no adapter with {what}; `harness merge {recipe.name}` makes "
                "a model of it that it serves"
            )
        for caution in _cautions(job, data.learnt):
            on_say(f"  warning: {caution}")
        check_memory(job, precision, device, data.batch, on_say, processes)
        model = load_base(job, precision)
        check_vocabulary(job, model, tokenizer, data.texts)
        trainer = _trainer(job, data, model, trainer_arguments(job, precision, device), on_progress)
        if trainer.args.world_size != processes:
            raise TrainingError(
                f"of {processes} processes {trainer.args.world_size} found each other: each would "
                "learn all of the data",
                where=f"recipe {recipe.name}",
                hint="train in one process",
            )
        resumed = last_checkpoint(job.work)
        trainer.train(resume_from_checkpoint=str(resumed) if resumed else None)
        return _outcome(job, trainer, data.learnt, step_of(resumed) if resumed else 0)
    except HarnessError:
        raise
    except Exception as error:
        raise TrainingError(
            f"{type(error).__name__}: {error}",
            where=f"recipe {recipe.name}",
            hint="run the command again to go on from the last checkpoint",
        ) from error


def _method(job: TrainingJob) -> Method:
    method: Method = import_module(METHODS[job.recipe.method])
    return method


def _cautions(job: TrainingJob, learnt: Learnt) -> Iterator[str]:
    packs = math.ceil(learnt.tokens / job.recipe.max_length)
    parameters = sum(map(math.prod, read_model_shapes(job.base).values()))
    return cautions(job.recipe, packs if job.recipe.packing else learnt.examples, parameters)


def _trainer(
    job: TrainingJob, data: Data, model: Any, arguments: dict[str, Any], on_progress: OnProgress
) -> Any:
    from transformers import EarlyStoppingCallback
    from transformers.trainer_callback import PrinterCallback, ProgressCallback

    callbacks: list[Any] = [make_reporter(job.recipe.name, on_progress)]
    if job.recipe.patience is not None:
        callbacks.append(EarlyStoppingCallback(early_stopping_patience=job.recipe.patience))
    trainer = data.trainer(model, arguments, callbacks)
    # The trainer's own printer speaks even when its bars are off.
    trainer.remove_callback(PrinterCallback)
    trainer.remove_callback(ProgressCallback)
    return trainer


def _tidy_config(path: Path) -> None:
    """Sort what peft keeps as a set: its order would differ from one process to the next."""
    config = json.loads(path.read_text(encoding="utf-8"))
    if isinstance(config.get("target_modules"), list):
        config["target_modules"].sort()
    path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def evaluated(log: Sequence[Mapping[str, Any]], steps: int, *, keeps_best: bool) -> bool:
    """Whether a trainer's log has the validation loss of the adapter that it ends with.

    One that keeps the best has it from that one's step: another evaluation would put its loss down
    as that of the last step.
    """
    held = [int(row["step"]) for row in log if "eval_loss" in row]
    return bool(held) and (keeps_best or held[-1] == steps)


def _outcome(job: TrainingJob, trainer: Any, learnt: Learnt, resumed_from: int) -> Outcome:
    state: TrainerState = trainer.state
    steps = int(state.global_step)
    if not evaluated(state.log_history, steps, keeps_best=job.recipe.patience is not None):
        trainer.evaluate()
    points = curve_points(state.log_history)
    known = [(point.validation, point.step) for point in points if point.validation is not None]
    if not known:
        raise UsageError("nothing was evaluated", where=f"recipe {job.recipe.name}")
    best = min(known) if job.recipe.patience is not None else known[-1]
    adapter = job.work / "final"
    # As written in the recipe, or on the hub: the adapter's files do not depend on the machine.
    config = trainer.model.peft_config["default"]
    config.base_model_name_or_path = job.recipe.base
    if job.base_source is not None:
        config.base_model_name_or_path, _, config.revision = job.base_source.rpartition("@")
    if trainer.is_world_process_zero():
        trainer.model.save_pretrained(
            adapter, safe_serialization=True, selected_adapters=["default"]
        )
        _tidy_config(adapter / "adapter_config.json")
    return Outcome(
        adapter=adapter,
        learnt=learnt,
        points=points,
        steps=steps,
        best_step=best[1],
        best_loss=best[0],
        stopped_early=steps < int(state.max_steps),
        resumed_from=resumed_from,
    )
