"""The examples of a training: all its conversations as tokens, and what is learnt of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from harness.errors import RecipeError
from harness.training.assistant_spans import picture
from harness.training.candidate import Learnt
from harness.training.encoder import Encoder, Example, at_place
from harness.training.job import TrainingJob
from harness.training.special_tokens import note_beginning, prepare_padding
from harness.training.template_notes import note_template
from harness.visible_text import visible

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True, slots=True)
class Examples:
    """The examples on both sides, at most `max_length` long, with the record of what is learnt."""

    train: list[Example]
    validation: list[Example]
    learnt: Learnt


def make_examples(
    tokenizer: PreTrainedTokenizerBase, job: TrainingJob, held_out: Sequence[str]
) -> Examples:
    """The examples of a job's conversations; those of the groups in `held_out` are for validation.

    A tokenizer without padding is given one.

    Raises:
        RecipeError: no chat template, one that cannot be used with the data, or special tokens with
            which a tuned model would never stop.
    """
    encoder = Encoder(tokenizer, job)
    length, groups = job.recipe.max_length, set(held_out)
    whole: tuple[list[Example], list[Example]] = ([], [])
    for place, conversation in zip(job.places, job.conversations, strict=True):
        try:
            found = encoder.examples(conversation)
        except RecipeError as error:
            raise at_place(error, place) from error
        whole[conversation.group in groups].extend(found)
    train, validation = (
        [one for one in (full.cut(length) for full in side) if any(one.learnt)] for side in whole
    )
    if not train or not validation:
        raise RecipeError(
            f"{length} tokens leave no answer of any conversation "
            f"{'to train on' if not train else 'for validation'}",
            where=f"recipe {job.recipe.name}: max_length",
            hint=f"the longest conversation has {max(len(x.ids) for y in whole for x in y)}",
        )
    examples = [*train, *validation]
    notes = [
        *note_data(encoder, tokenizer, job, examples, sum(map(len, whole))),
        *_note_cuts([*whole[0], *whole[1]], length),
        *note_tokens(encoder, tokenizer, train[0]),
    ]
    learnt = Learnt(
        found="marks" if encoder.marked else "prefix",
        examples=len(train),
        tokens=sum(len(one.ids) for one in train),
        learnt_tokens=sum(sum(one.learnt) for one in train),
        end_of_turn=encoder.ends.token,
        end_of_turn_id=encoder.ends.id,
        first_example=picture_of(tokenizer, train[0]),
        notes=tuple(notes),
    )
    return Examples(train, validation, learnt)


def note_data(
    encoder: Encoder,
    tokenizer: PreTrainedTokenizerBase,
    job: TrainingJob,
    examples: Sequence[Example],
    made: int,
) -> Iterator[str]:
    """Sentences on what the template does to the data; `made` examples came of it."""
    turns = [encoder.turns(one) for one in job.conversations]
    yield from note_template(encoder.template, encoder.render, turns, made)
    yield from _note_answers(encoder, tokenizer, examples)


def note_tokens(
    encoder: Encoder, tokenizer: PreTrainedTokenizerBase, example: Example
) -> Iterator[str]:
    """Sentences on the special tokens; a tokenizer without padding is given one."""
    beginning = note_beginning(tokenizer, example.ids)
    padding = prepare_padding(tokenizer, encoder.ends)
    yield from (note for note in (beginning, padding) if note is not None)


def _note_answers(
    encoder: Encoder, tokenizer: PreTrainedTokenizerBase, examples: Sequence[Example]
) -> Iterator[str]:
    """Sentences on how answers begin, and on ends of turns within them."""
    if encoder.as_server:
        yield (
            "the template renders a question otherwise once it is answered (it may leave out the "
            f"system prompt): {encoder.as_server} examples have it as a server sends it"
        )
    if encoder.joined:
        yield f"{encoder.joined} answers begin within a token of their prompt, which is not learnt"
    begins = tokenizer.convert_ids_to_tokens(examples[0].ids[examples[0].learnt.index(True)])
    if "add_generation_prompt" not in encoder.template and begins in tokenizer.get_added_vocab():
        yield (
            f"the template has no `add_generation_prompt`: `{begins}` before an answer is learnt, "
            "since no server writes it"
        )
    early = sum(
        [one for one, on in zip(example.ids, example.learnt, strict=True) if on].count(
            encoder.ends.id
        )
        > example.runs
        for example in examples
    )
    if early:
        end = encoder.ends.token
        yield f"{early} examples hold `{end}` within an answer, which teaches to stop there"


def _note_cuts(whole: Sequence[Example], length: int) -> Iterator[str]:
    cut = [one for one in whole if any(one.learnt[length:])]
    if cut:
        lost = sum(not any(one.learnt[:length]) for one in cut)
        yield (
            f"`max_length` {length} cuts into the answers of {len(cut)} of {len(whole)} examples, "
            f"whose end is not learnt; {lost} of them are left out (the longest has "
            f"{max(len(one.ids) for one in cut)} tokens)"
        )


def picture_of(tokenizer: PreTrainedTokenizerBase, example: Example) -> str:
    """The example's text, with what is learnt between ⟦ and ⟧."""
    parts: list[tuple[str, bool]] = []
    pairs = zip(example.ids, example.learnt, strict=True)
    for learnt, run in groupby(pairs, key=lambda pair: pair[1]):
        ids: list[Any] = [one for one, _ in run]
        parts.append((str(tokenizer.decode(ids, skip_special_tokens=False)), learnt))
    return picture(parts)


def describe(name: str, learnt: Learnt) -> str:
    """What a training learns, in lines for a terminal; the example is as the model reads it."""
    by = {"marks": "by the template's marks", "prefix": "by rendering with and without them"}
    share = learnt.learnt_tokens / learnt.tokens
    of = "examples" if learnt.first_rejected is None else "pairs"
    summary = (
        f"training {name}: learns {learnt.learnt_tokens} of {learnt.tokens} tokens ({share:.0%}), "
        f"the answers in {learnt.examples} {of}, found {by[learnt.found]}, each to its "
        f"`{learnt.end_of_turn}` (id {learnt.end_of_turn_id})"
    )
    lines = [
        summary,
        *(f"  note: {note}" for note in learnt.notes),
        "  the first example, what is learnt between ⟦ and ⟧:",
        *_indented(learnt.first_example),
    ]
    if learnt.first_rejected is not None:
        lines += ["  and its rejected answer:", *_indented(learnt.first_rejected)]
    return "\n".join(lines)


def _indented(text: str) -> list[str]:
    return [f"    {line}" for line in visible(text).rstrip("\n").split("\n")]
