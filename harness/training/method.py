"""What the methods of training have in common: their protocol, and the trainer's settings."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Protocol

from harness.training.candidate import Learnt
from harness.training.job import Divided, TrainingJob
from harness.training.memory import EVALUATION_FACTOR, Batch
from harness.training.precision import Device, Precision

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


class Data(Protocol):
    """The data of a training in tokens, ready to be trained on."""

    @property
    def learnt(self) -> Learnt:
        """The record of what is learnt."""
        ...

    @property
    def batch(self) -> Batch:
        """The largest batch."""
        ...

    @property
    def texts(self) -> Iterable[list[int]]:
        """Every text, in tokens."""
        ...

    def trainer(self, model: Any, arguments: dict[str, Any], callbacks: list[Any]) -> Any:
        """TRL's trainer for the data and a base, with the settings that all methods share."""
        ...


class Method(Protocol):
    """A way of training, in a module of its own."""

    def read(self, tokenizer: PreTrainedTokenizerBase, job: TrainingJob, divided: Divided) -> Data:
        """The job's data in tokens.

        Raises:
            RecipeError: the base's template, its special tokens or `max_length` do not suit it.
        """
        ...


def trainer_arguments(job: TrainingJob, precision: Precision, device: Device) -> dict[str, Any]:
    """The settings that TRL's configurations of all methods share."""
    recipe = job.recipe
    best = recipe.patience is not None
    return {
        "output_dir": str(job.work),
        "max_steps": recipe.steps or -1,
        "num_train_epochs": recipe.epochs or 1.0,
        "per_device_train_batch_size": recipe.batch_size,
        "per_device_eval_batch_size": recipe.batch_size * EVALUATION_FACTOR,
        "gradient_accumulation_steps": recipe.gradient_accumulation,
        "learning_rate": recipe.learning_rate,
        "lr_scheduler_type": recipe.schedule,
        "warmup_steps": recipe.warmup_steps,
        "weight_decay": recipe.weight_decay,
        "adam_beta2": recipe.adam_beta2,
        "max_length": recipe.max_length,
        "eval_strategy": "steps",
        "eval_steps": recipe.evaluate_every,
        "save_strategy": "steps",
        "save_steps": recipe.evaluate_every if best else recipe.checkpoint_every,
        "save_total_limit": 2,
        "load_best_model_at_end": best,
        "metric_for_best_model": "eval_loss",
        "greater_is_better": False,
        "restore_callback_states_from_checkpoint": True,  # how long patience has lasted
        "logging_steps": 10,
        "report_to": list(recipe.report_to) or "none",
        "run_name": recipe.name,
        "disable_tqdm": True,
        "seed": recipe.seed,
        "data_seed": recipe.seed,
        "bf16": precision.autocast == "bf16",
        "fp16": precision.autocast == "fp16",
        "gradient_checkpointing": recipe.gradient_checkpointing,
        "use_cpu": device.kind == "cpu",
        "ddp_find_unused_parameters": False,  # what is trained is used in every step
        "dataloader_pin_memory": device.kind == "cuda",
        "dataset_num_proc": None,
    }
