"""Direct preference optimisation with TRL (Rafailov et al. 2023): from pairs of answers.

The reference is what the training starts from: the base, with the adapter switched off, or the
adapter that the recipe starts from, of which TRL keeps a copy.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import RecipeError
from harness.training.adapter import adapter_config
from harness.training.candidate import Learnt
from harness.training.checkpoints import last_checkpoint
from harness.training.data_files import Pair
from harness.training.encoder import Encoder, Example, at_place
from harness.training.examples import note_data, note_tokens, picture_of
from harness.training.job import Divided, TrainingJob
from harness.training.memory import Batch

if TYPE_CHECKING:
    from datasets import Dataset
    from transformers import PreTrainedTokenizerBase
    from trl import DPOTrainer

BETA = 0.1  # TRL's own, and the paper's


@dataclass(frozen=True, slots=True)
class PairExample:
    """A prompt in tokens with its two answers, each to the end of its turn."""

    prompt: list[int]
    chosen: list[int]
    rejected: list[int]

    @property
    def length(self) -> int:
        """The tokens of the longer side."""
        return len(self.prompt) + max(len(self.chosen), len(self.rejected))


@dataclass(frozen=True, slots=True)
class Preferences:
    """Pairs in tokens; see `harness.training.method.Data`."""

    job: TrainingJob
    tokenizer: PreTrainedTokenizerBase
    train: list[PairExample]
    validation: list[PairExample]
    learnt: Learnt

    @property
    def batch(self) -> Batch:
        """The largest batch: each pair is two sequences."""
        sides = self.train, self.validation
        length = self.job.recipe.max_length
        train, held = (min(length, max(one.length for one in side)) for side in sides)
        return Batch(2 * self.job.recipe.batch_size, train, held)

    @property
    def texts(self) -> Iterable[list[int]]:
        """Every text, in tokens."""
        for one in (*self.train, *self.validation):
            yield one.prompt + one.chosen
            yield one.prompt + one.rejected

    def trainer(self, model: Any, arguments: dict[str, Any], callbacks: list[Any]) -> DPOTrainer:
        """TRL's trainer, which is given tokens and makes none itself."""
        from trl import DPOConfig, DPOTrainer

        class TokensTrainer(DPOTrainer):  # type: ignore[misc]  # the library's class is untyped
            """Takes data that is in tokens already, as its sister for fine-tuning does."""

            # Private, for want of a public way: `SFTConfig` has `skip_prepare_dataset` for this,
            # and `DPOConfig` of TRL 1.16 has nothing.
            def _prepare_dataset(self, dataset: Dataset, *_: Any, **__: Any) -> Dataset:
                return dataset

        recipe, adapter = self.job.recipe, self.job.start
        if adapter is not None:
            from peft import PeftModel

            model = PeftModel.from_pretrained(model, adapter, is_trainable=True)
            callbacks = [*callbacks, _resume_trained()]
        return TokensTrainer(
            model=model,
            args=DPOConfig(
                **arguments, beta=recipe.beta or BETA, loss_type=[recipe.loss_type or "sigmoid"]
            ),
            train_dataset=_dataset(self.train),
            eval_dataset=_dataset(self.validation),
            processing_class=self.tokenizer,
            peft_config=adapter_config(recipe) if adapter is None else None,
            callbacks=callbacks,
        )


def _resume_trained() -> Any:
    """Loads the adapter that is trained from the checkpoint that a training goes on from.

    Of several adapters transformers loads those in folders of their own: the reference, and not
    this one.
    """
    from transformers import TrainerCallback

    class ResumeTrained(TrainerCallback):  # type: ignore[misc]  # the library's class is untyped
        def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ARG002
            if state.global_step:
                checkpoint = last_checkpoint(Path(args.output_dir))
                kwargs["model"].load_adapter(str(checkpoint), "default", is_trainable=True)

    return ResumeTrained()


def read(tokenizer: PreTrainedTokenizerBase, job: TrainingJob, divided: Divided) -> Preferences:
    """The job's pairs in tokens.

    Raises:
        RecipeError: the base's chat template or its special tokens do not suit a pair, or
            `max_length` leaves none.
    """
    encoder, length = Encoder(tokenizer, job), job.recipe.max_length
    held_out = set(divided.split.validation_groups)
    whole: tuple[list[PairExample], list[PairExample]] = ([], [])
    examples: list[Example] = []
    for place, pair in zip(job.places, job.conversations, strict=True):
        assert isinstance(pair, Pair)
        try:
            chosen = encoder.examples(pair)[-1]
            rejected = encoder.examples(pair.rejected_conversation)[-1]
        except RecipeError as error:
            raise at_place(error, place) from error
        examples += [chosen, rejected]
        whole[pair.group in held_out].append(_pair(chosen, rejected))
    train, validation = ([one for one in side if one.length <= length] for side in whole)
    if not train or not validation:
        raise RecipeError(
            f"no pair {'to train on' if not train else 'for validation'} is within {length} tokens",
            where=f"recipe {job.recipe.name}: max_length",
            hint=f"the longest has {max(one.length for side in whole for one in side)}",
        )
    notes = list(note_data(encoder, tokenizer, job, examples, len(job.conversations)))
    long = sum(map(len, whole)) - len(train) - len(validation)
    if long:
        notes.append(f"{long} pairs are longer than `max_length` {length} and are left out")
    notes += note_tokens(encoder, tokenizer, examples[0])
    first = train[0]
    learnt = Learnt(
        found="marks" if encoder.marked else "prefix",
        examples=len(train),
        tokens=sum(2 * len(one.prompt) + len(one.chosen) + len(one.rejected) for one in train),
        learnt_tokens=sum(len(one.chosen) + len(one.rejected) for one in train),
        end_of_turn=encoder.ends.token,
        end_of_turn_id=encoder.ends.id,
        first_example=picture_of(tokenizer, _whole(first.prompt, first.chosen)),
        first_rejected=picture_of(tokenizer, _whole(first.prompt, first.rejected)),
        notes=tuple(notes),
    )
    return Preferences(job, tokenizer, train, validation, learnt)


def _pair(chosen: Example, rejected: Example) -> PairExample:
    """The two texts as the prompt that they share and their last answers."""
    (begin, end), (other, last) = _answer(chosen), _answer(rejected)
    shared = min(begin, other)
    # A token that holds the prompt's end and the answer's beginning is the answer's.
    while shared and chosen.ids[:shared] != rejected.ids[:shared]:
        shared -= 1
    return PairExample(chosen.ids[:shared], chosen.ids[shared:end], rejected.ids[shared:last])


def _answer(example: Example) -> tuple[int, int]:
    """Where the last answer begins, and where it ends."""
    end = len(example.learnt) - example.learnt[::-1].index(True)
    begin = end
    while begin and example.learnt[begin - 1]:
        begin -= 1
    return begin, end


def _whole(prompt: list[int], answer: list[int]) -> Example:
    return Example(prompt + answer, [False] * len(prompt) + [True] * len(answer))


def _dataset(pairs: Sequence[PairExample]) -> Dataset:
    from datasets import Dataset

    return Dataset.from_list(
        [
            {"prompt_ids": one.prompt, "chosen_ids": one.chosen, "rejected_ids": one.rejected}
            for one in pairs
        ]
    )
