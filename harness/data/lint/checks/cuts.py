"""Answers that are cut off: by `max_length` in training, or already where they come from."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pydantic import ValidationError

from harness.data.lint.check import CheckSettings, Inspection, found
from harness.data.lint.row import DataRow
from harness.errors import RecipeError
from harness.records.finding import Finding
from harness.records.suite import Message
from harness.training.data_files import Conversation

_MID_SENTENCE = re.compile(
    r"(?i)(?:,|\b(?:and|or|the|a|an|of|to|with|for|in|on|is|are|your|that|which|because|by|und|der|"
    r"die|das|mit|et|de|la|y|el))\s*$"
)
FEWEST = 6  # words of an answer whose end can be judged


class Cuts:
    """Finds `cut-off`, `refused-by-template` and `unfinished-answer`."""

    name = "cuts"
    about = "answers that end within a sentence, or that `max_length` cuts"

    def begin(self, settings: CheckSettings) -> Inspection:
        """A new inspection."""
        return _Inspection(settings)


class _Inspection(Inspection):
    def __init__(self, settings: CheckSettings) -> None:
        self._settings = settings
        self._encoded = self._cut = 0

    def see(self, row: DataRow) -> Iterator[Finding]:
        answer = row.answer
        if len(answer.split()) >= FEWEST and _MID_SENTENCE.search(answer[-24:]):
            what = "the answer ends within a sentence: complete it, or leave it out"
            yield found(row, "unfinished-answer", what)
        if self._settings.encoder is not None:
            yield from self._by_length(row)

    def _by_length(self, row: DataRow) -> Iterator[Finding]:
        encoder, most = self._settings.encoder, self._settings.max_length
        conversation = conversation_of(row, self._settings.system_prompt)
        if encoder is None or conversation is None:
            return  # what is wrong with it is said by another check
        self._encoded += 1
        try:
            text = encoder.render(encoder.turns(conversation), False)
            # A token stands for a byte at least.
            if len(text.encode("utf-8", "surrogatepass")) <= most:
                return
            if len(encoder.tokenizer(text, add_special_tokens=False)["input_ids"]) <= most:
                return
            examples = encoder.examples(conversation)
        except RecipeError as error:
            yield found(row, "refused-by-template", error.what, level="error")
            return
        longest = max(len(one.ids) for one in examples)
        if any(any(one.learnt[most:]) for one in examples):
            self._cut += 1
            lost = not any(any(one.learnt[:most]) for one in examples)
            what = (
                f"{longest} tokens, and `max_length` {most} "
                f"{'leaves nothing of the answer' if lost else 'cuts the answer'}: raise it, or "
                "shorten the conversation"
            )
            yield found(row, "cut-off", what)

    def facts(self) -> Iterator[tuple[str, str]]:
        if self._settings.encoder is not None:
            shown = f"{self._cut:,} of {self._encoded:,} by max_length {self._settings.max_length}"
            yield "answers cut off", shown


def conversation_of(row: DataRow, system_prompt: str = "") -> Conversation | None:
    """The conversation as a training reads it; None where it would not."""
    given = row.turns
    if system_prompt and given[0][0] != "system":
        given = (("system", system_prompt), *given)
    try:
        turns = tuple(
            Message.model_validate({"role": role, "content": text}) for role, text in given
        )
        return Conversation(group=row.group or "-", messages=turns)
    except ValidationError:
        return None
