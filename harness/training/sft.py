"""Supervised fine-tuning of an adapter with TRL and peft."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import HarnessError, RecipeError, TrainingError, UsageError
from harness.training.candidate import CurvePoint, Learnt
from harness.training.encoder import Example
from harness.training.examples import Examples, describe, make_examples
from harness.training.job import Divided, TrainingJob
from harness.training.libraries import (
    OnProgress,
    OnSay,
    import_torch_patiently,
    quiet_libraries,
)

if TYPE_CHECKING:
    from datasets import Dataset
    from transformers import PreTrainedTokenizerBase, TrainerState
    from trl import SFTConfig, SFTTrainer

# Written by the trainer last of all, so a checkpoint without it is not complete.
STATE = "trainer_state.json"


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


def fit(job: TrainingJob, divided: Divided, on_progress: OnProgress, on_say: OnSay) -> Outcome:
    """The outcome of training the job's adapter, resumed from its last complete checkpoint.

    What is learnt is said before the first step.

    Raises:
        RecipeError: the base's chat template or modules do not suit the recipe.
        TrainingError: the training diverged or a library failed.
    """
    import_torch_patiently()
    quiet_libraries()
    recipe = job.recipe
    on_say(f"training {recipe.name}: loading")
    try:
        tokenizer = _tokenizer(job)
        examples = make_examples(tokenizer, job, divided.split.validation_groups)
        on_say(describe(recipe.name, examples.learnt))
        if recipe.dora or recipe.modules_to_save:
            what = "DoRA" if recipe.dora else "whole modules"
            on_say(
                f"  note: vLLM serves no adapter with {what}; `harness merge {recipe.name}` makes "
                "a model of it that it serves"
            )
        trainer = _trainer(job, tokenizer, examples, on_progress)
        resumed = last_checkpoint(job.work)
        trainer.train(resume_from_checkpoint=str(resumed) if resumed else None)
        return _outcome(job, trainer, examples.learnt, step_of(resumed) if resumed else 0)
    except HarnessError:
        raise
    except Exception as error:
        raise TrainingError(
            f"{type(error).__name__}: {error}",
            where=f"recipe {recipe.name}",
            hint="run the command again to go on from the last checkpoint",
        ) from error


def last_checkpoint(work: Path) -> Path | None:
    """The latest checkpoint that was written to its end."""
    found = (path for path in work.glob("checkpoint-*") if _readable(path))
    return max(found, key=step_of, default=None)


def step_of(checkpoint: Path) -> int:
    """The number of steps that a checkpoint has behind it."""
    return int(checkpoint.name.rsplit("-", 1)[1])


def _readable(checkpoint: Path) -> bool:
    try:
        json.loads((checkpoint / STATE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return (checkpoint / "adapter_model.safetensors").is_file()


def _tokenizer(job: TrainingJob) -> PreTrainedTokenizerBase:
    from transformers import AutoTokenizer

    try:
        return AutoTokenizer.from_pretrained(job.base, local_files_only=True)
    except (OSError, ValueError) as error:
        raise RecipeError(
            f"cannot load the base's tokenizer: {error}", where=f"recipe {job.recipe.name}: base"
        ) from error


def _trainer(
    job: TrainingJob,
    tokenizer: PreTrainedTokenizerBase,
    examples: Examples,
    on_progress: OnProgress,
) -> SFTTrainer:
    from peft import LoraConfig
    from transformers import EarlyStoppingCallback
    from trl import SFTTrainer

    recipe, modules = job.recipe, job.recipe.target_modules
    callbacks: list[Any] = [_reporter(recipe.name, on_progress)]
    if recipe.patience is not None:
        callbacks.append(EarlyStoppingCallback(early_stopping_patience=recipe.patience))
    lora = LoraConfig(
        r=recipe.rank,
        lora_alpha=recipe.alpha,
        lora_dropout=recipe.dropout,
        target_modules=modules if isinstance(modules, str) else list(modules),
        use_dora=recipe.dora,
        use_rslora=recipe.rslora,
        modules_to_save=list(recipe.modules_to_save) or None,
        bias="none",
        task_type="CAUSAL_LM",
    )
    model = _base_model(job)
    _check_vocabulary(job, model.get_input_embeddings().num_embeddings, tokenizer, examples)
    trainer = SFTTrainer(
        model=model,
        args=_arguments(job),
        train_dataset=_dataset(examples.train),
        eval_dataset=_dataset(examples.validation),
        processing_class=tokenizer,
        peft_config=lora,
        callbacks=callbacks,
    )
    # The trainer's own printer speaks even when its bars are off.
    from transformers.trainer_callback import PrinterCallback, ProgressCallback

    trainer.remove_callback(PrinterCallback)
    trainer.remove_callback(ProgressCallback)
    return trainer


def _check_vocabulary(
    job: TrainingJob, rows: int, tokenizer: PreTrainedTokenizerBase, examples: Examples
) -> None:
    """Refuse a tokenizer that was given more tokens than the base knows."""
    last = max(max(one.ids) for one in (*examples.train, *examples.validation))
    if last >= rows:
        raise RecipeError(
            f"the data has the token `{tokenizer.convert_ids_to_tokens(last)}` (id {last}), and "
            f"the base's embedding has {rows} rows",
            where=f"recipe {job.recipe.name}: base",
            hint="take the tokenizer and the chat template that came with the base",
        )


def _base_model(job: TrainingJob) -> Any:
    import torch
    from transformers import AutoModelForCausalLM, BitsAndBytesConfig

    extra: dict[str, Any] = {}
    if job.recipe.method == "qlora":
        extra["quantization_config"] = BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=torch.bfloat16 if torch.cuda.is_available() else torch.float32,
        )
    try:
        return AutoModelForCausalLM.from_pretrained(
            job.base, local_files_only=True, use_safetensors=True, dtype="auto", **extra
        )
    except OSError as error:
        raise RecipeError(
            f"cannot load the base: {error}", where=f"recipe {job.recipe.name}: base"
        ) from error


def _arguments(job: TrainingJob) -> SFTConfig:
    import torch
    from trl import SFTConfig

    recipe = job.recipe
    on_gpu = torch.cuda.is_available()
    best = recipe.patience is not None
    return SFTConfig(
        output_dir=str(job.work),
        max_steps=recipe.steps or -1,
        num_train_epochs=recipe.epochs or 1.0,
        per_device_train_batch_size=recipe.batch_size,
        per_device_eval_batch_size=recipe.batch_size * 4,
        gradient_accumulation_steps=recipe.gradient_accumulation,
        learning_rate=recipe.learning_rate,
        lr_scheduler_type=recipe.schedule,
        warmup_steps=recipe.warmup_steps,
        weight_decay=recipe.weight_decay,
        adam_beta2=recipe.adam_beta2,
        max_length=recipe.max_length,
        eval_strategy="steps",
        eval_steps=recipe.evaluate_every,
        save_strategy="steps",
        save_steps=recipe.evaluate_every if best else recipe.checkpoint_every,
        save_total_limit=2,
        load_best_model_at_end=best,
        metric_for_best_model="eval_loss",
        greater_is_better=False,
        logging_steps=10,
        neftune_noise_alpha=recipe.neftune_alpha,
        report_to=list(recipe.report_to) or "none",
        run_name=recipe.name,
        disable_tqdm=True,
        seed=recipe.seed,
        data_seed=recipe.seed,
        bf16=on_gpu,
        gradient_checkpointing=recipe.gradient_checkpointing,
        dataloader_pin_memory=on_gpu,
        dataset_num_proc=None,
        train_sampling_strategy="group_by_length",
    )


def _dataset(examples: Sequence[Example]) -> Dataset:
    """The examples as the trainer takes them: it changes nothing where there are labels."""
    from datasets import Dataset

    return Dataset.from_list([{"input_ids": one.ids, "labels": one.labels} for one in examples])


def _reporter(name: str, on_progress: OnProgress) -> Any:
    from transformers import TrainerCallback

    class Reporter(TrainerCallback):  # type: ignore[misc]  # the library's class is untyped
        """Tells the caller about each step."""

        detail = ""

        def on_log(self, _args: Any, state: Any, _control: Any, **_kwargs: Any) -> None:
            """Keep the latest losses for the next step's line."""
            last = state.log_history[-1] if state.log_history else {}
            for key, label in (("loss", "loss"), ("eval_loss", "validation loss")):
                if key in last:
                    if not math.isfinite(float(last[key])):
                        raise TrainingError(
                            f"the {label} is not finite at step {state.global_step}",
                            where=f"recipe {name}",
                            hint="lower learning_rate",
                        )
                    self.detail = f"{label} {float(last[key]):.3f}"

        def on_train_begin(self, _args: Any, state: Any, _control: Any, **_kwargs: Any) -> None:
            """Begin to count, so that neither loading nor steps done before are in the rate."""
            self.on_step_end(_args, state, _control)

        def on_step_end(self, _args: Any, state: Any, _control: Any, **_kwargs: Any) -> None:
            """Tell of one more step."""
            on_progress(
                f"training {name}", int(state.global_step), int(state.max_steps), self.detail
            )

    return Reporter()


def _points(history: list[dict[str, Any]]) -> tuple[CurvePoint, ...]:
    train = {int(row["step"]): float(row["loss"]) for row in history if "loss" in row}
    held = {int(row["step"]): float(row["eval_loss"]) for row in history if "eval_loss" in row}
    return tuple(
        CurvePoint(step=step, train=train.get(step), validation=held.get(step))
        for step in sorted({*train, *held})
    )


def _tidy_config(path: Path) -> None:
    """Sort what peft keeps as a set: its order would differ from one process to the next."""
    config = json.loads(path.read_text(encoding="utf-8"))
    if isinstance(config.get("target_modules"), list):
        config["target_modules"].sort()
    path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def _outcome(job: TrainingJob, trainer: SFTTrainer, learnt: Learnt, resumed_from: int) -> Outcome:
    state: TrainerState = trainer.state
    steps = int(state.global_step)
    held = [row for row in state.log_history if "eval_loss" in row]
    if not held or int(held[-1]["step"]) != steps:
        trainer.evaluate()
    points = _points(state.log_history)
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
    trainer.model.save_pretrained(adapter, safe_serialization=True)
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
