"""Supervised fine-tuning with TRL: the assistant's words of each conversation are learnt."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.training.adapter import adapter_config
from harness.training.candidate import Learnt, Recipe
from harness.training.encoder import Example
from harness.training.examples import Examples, make_examples
from harness.training.job import Divided, TrainingJob
from harness.training.memory import Batch
from harness.training.packing import check_packing

if TYPE_CHECKING:
    from datasets import Dataset
    from transformers import PreTrainedTokenizerBase
    from trl import SFTTrainer


@dataclass(frozen=True, slots=True)
class Conversations:
    """Conversations in tokens; see `harness.training.method.Data`."""

    recipe: Recipe
    tokenizer: PreTrainedTokenizerBase
    examples: Examples

    @property
    def learnt(self) -> Learnt:
        """The record of what is learnt."""
        return self.examples.learnt

    @property
    def batch(self) -> Batch:
        """The largest batch; packed, it is one sequence."""
        sides = self.examples.train, self.examples.validation
        train, held = (max(len(one.ids) for one in side) for side in sides)
        if self.recipe.packing:
            whole = self.recipe.batch_size * self.recipe.max_length
            return Batch(1, min(whole, self.learnt.tokens), self.recipe.batch_size * held, True)
        return Batch(self.recipe.batch_size, train, held)

    @property
    def texts(self) -> Iterable[list[int]]:
        """Every text, in tokens."""
        return (one.ids for one in (*self.examples.train, *self.examples.validation))

    def trainer(self, model: Any, arguments: dict[str, Any], callbacks: list[Any]) -> SFTTrainer:
        """TRL's trainer, which changes nothing of data that has labels."""
        from torch.utils.data import DataLoader
        from transformers.trainer_pt_utils import DistributedLengthGroupedSampler
        from trl import SFTConfig, SFTTrainer

        class ByLengthTrainer(SFTTrainer):  # type: ignore[misc]  # the library's class is untyped
            """Groups examples by length, in an order that seed and epoch alone decide.

            transformers' own way draws it from torch's generator, whose state no checkpoint has:
            a resumed epoch would get another order, and each of several processes its own.
            """

            def get_train_dataloader(self) -> Any:
                step = self.args.train_batch_size * self.args.gradient_accumulation_steps
                order = DistributedLengthGroupedSampler(
                    step * self.args.world_size,
                    num_replicas=1,  # the accelerator divides the batches among processes
                    rank=0,
                    seed=self.args.data_seed,
                    lengths=[len(ids) for ids in self.train_dataset["input_ids"]],
                )
                loader = DataLoader(
                    self.train_dataset,
                    batch_size=self.args.train_batch_size,
                    sampler=order,
                    collate_fn=self.data_collator,
                    pin_memory=self.args.dataloader_pin_memory,
                )
                return self.accelerator.prepare(loader)

        if self.recipe.packing:
            check_packing(model, self.recipe.name)
        return ByLengthTrainer(
            model=model,
            args=SFTConfig(
                **arguments,
                packing=self.recipe.packing,
                eval_packing=False,
                neftune_noise_alpha=self.recipe.neftune_alpha,
            ),
            train_dataset=_dataset(self.examples.train),
            eval_dataset=_dataset(self.examples.validation),
            processing_class=self.tokenizer,
            peft_config=adapter_config(self.recipe),
            callbacks=callbacks,
        )


def read(tokenizer: PreTrainedTokenizerBase, job: TrainingJob, divided: Divided) -> Conversations:
    """The job's conversations in tokens.

    Raises:
        RecipeError: as `make_examples`.
    """
    held_out = divided.split.validation_groups
    return Conversations(job.recipe, tokenizer, make_examples(tokenizer, job, held_out))


def _dataset(examples: Sequence[Example]) -> Dataset:
    from datasets import Dataset

    return Dataset.from_list([{"input_ids": one.ids, "labels": one.labels} for one in examples])
