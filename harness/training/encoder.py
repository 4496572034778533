"""One conversation as tokens, with what is learnt of it, by the base's tokenizer and template."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.errors import RecipeError
from harness.training.assistant_spans import Turns, find_answers, tokens_within
from harness.training.bounded_template import TooMuch, bounded, check_length
from harness.training.data_files import Conversation
from harness.training.job import TrainingJob
from harness.training.special_tokens import EndOfTurn, check_beginning, end_of_turn, stop_ids

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

MARK = re.compile(r"\{%-?\s*generation\s*-?%\}")
IGNORED = -100  # the label of what is not learnt, in torch's cross-entropy


@dataclass(frozen=True, slots=True)
class Example:
    """A text in tokens, and for each whether it is learnt."""

    ids: list[int]
    learnt: list[bool]

    @property
    def runs(self) -> int:
        """How many runs of tokens are learnt."""
        before = [False, *self.learnt]
        return sum(now and not was for was, now in zip(before, self.learnt, strict=False))

    def cut(self, length: int) -> Example:
        """The first `length` tokens of it."""
        return Example(self.ids[:length], self.learnt[:length])

    @property
    def labels(self) -> list[int]:
        """The tokens that are learnt, each in its place, and `IGNORED` elsewhere."""
        return [
            one if learnt else IGNORED for one, learnt in zip(self.ids, self.learnt, strict=True)
        ]


class Encoder:
    """Makes examples of conversations with the base's tokenizer and chat template."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase, job: TrainingJob) -> None:
        self.tokenizer = tokenizer
        self._settings = job.recipe.chat_template_kwargs
        self._system_as = job.recipe.system_as
        self.template = _template(tokenizer, f"recipe {job.recipe.name}: base")
        self.marked = MARK.search(self.template) is not None
        stops = stop_ids(job.base, tokenizer.eos_token_id)
        try:
            self.ends: EndOfTurn = end_of_turn(
                tokenizer, stops, self.render, self.turns(job.conversations[0])
            )
        except RecipeError as error:
            raise at_place(error, job.places[0]) from error
        # How many answers begin within a token of their prompt, and how many examples have their
        # prompt otherwise than the template writes it once it is answered.
        self.joined = self.as_server = 0

    def render(self, turns: Turns, prompt: bool) -> str:
        """The text of the turns, followed with `prompt` by what makes the model answer.

        Raises:
            RecipeError: the template refuses the conversation, or does not come to an end.
        """
        try:
            return self._rendered(turns, prompt)
        except TooMuch as error:
            raise RecipeError(
                f"the chat template does not come to an end: {error}",
                hint="take the maker's own chat template",
            ) from error
        except Exception as error:  # a template may fail in any way
            raise self._refusal(turns, prompt, error) from error

    def _rendered(self, turns: Turns, prompt: bool) -> str:
        with bounded():
            text = self.tokenizer.apply_chat_template(
                list(turns), tokenize=False, add_generation_prompt=prompt, **self._settings
            )
        return check_length(str(text))

    def _refusal(self, turns: Turns, prompt: bool, error: Exception) -> RecipeError:
        # What a template raises of its own accord is of this very class.
        own = type(error).__name__ == "TemplateError"
        hint = (
            "write the data with the roles that the template takes, in the order it takes them"
            if own
            else "it fails by itself: take the maker's own chat template"
        )
        if turns and turns[0]["role"] == "system" and self._takes(turns[1:], prompt):
            hint = (
                "it takes no system role: `system_as: user` in the recipe puts the words before "
                "the first question, as `request: {system_as: user}` of a server does"
            )
        roles = ", ".join(turn["role"] for turn in turns) or "no turn at all"
        return RecipeError(f"the chat template refuses {roles}: {error}", hint=hint)

    def _takes(self, turns: Turns, prompt: bool) -> bool:
        try:
            self._rendered(turns, prompt)
        except Exception:  # noqa: BLE001 - a template may fail in any way
            return False
        return True

    def turns(self, conversation: Conversation) -> list[dict[str, str]]:
        """The turns as the template is given them; under `system_as: user` no one is the system."""
        found = [{"role": turn.role, "content": turn.content} for turn in conversation.messages]
        asked = next((turn for turn in found if turn["role"] == "user"), None)
        if self._system_as == "user" and found[0]["role"] == "system" and asked is not None:
            asked["content"] = f"{found.pop(0)['content']}\n\n{asked['content']}"
        return found

    def examples(self, conversation: Conversation) -> list[Example]:
        """The examples of a conversation: one, or one an answer if the template asks for that.

        Raises:
            RecipeError: the template or its special tokens do not suit the conversation.
        """
        turns = self.turns(conversation)
        found = [self._by_marks(turns)] if self.marked else self._by_prefix(turns)
        for one in found:
            check_beginning(self.tokenizer, one.ids)
        return found

    def _by_marks(self, turns: Turns) -> Example:
        self.render(turns, False)  # for its refusals
        encoded = self.tokenizer.apply_chat_template(
            list(turns),
            tokenize=True,
            return_dict=True,
            return_assistant_tokens_mask=True,
            **self._settings,
        )
        found = Example(list(encoded["input_ids"]), [bool(x) for x in encoded["assistant_masks"]])
        # Whatever stands after the end of a turn, such as a line feed, is harmless.
        last = [one for one, learnt in zip(found.ids, found.learnt, strict=True) if learnt]
        while last and not self.tokenizer.decode(last[-1:]).strip():
            last.pop()
        if not last:
            raise RecipeError(
                "the template's {% generation %} marks hold nothing of this conversation",
                hint="take the marks out: answers are found without them",
            )
        if last[-1] != self.ends.id:
            raise RecipeError(
                f"the template's {{% generation %}} marks leave out `{self.ends.token}` "
                f"(id {self.ends.id}), which ends an answer: a model tuned so never stops",
                hint="put it inside the marks, or take the marks out: answers are found without",
            )
        return found

    def _by_prefix(self, turns: Turns) -> list[Example]:
        found = []
        for rendered in find_answers(self.render, turns, self.ends.ending):
            self.as_server += rendered.as_server
            encoded = self.tokenizer(
                rendered.text, add_special_tokens=False, return_offsets_mapping=True
            )
            ids = list(encoded["input_ids"])
            for begin, _ in rendered.spans:
                prompt = self.tokenizer(rendered.text[:begin], add_special_tokens=False)
                self.joined += ids[: len(prompt["input_ids"])] != list(prompt["input_ids"])
            found.append(Example(ids, tokens_within(encoded["offset_mapping"], rendered.spans)))
        return found


def _template(tokenizer: PreTrainedTokenizerBase, where: str) -> str:
    if not tokenizer.is_fast:
        raise RecipeError(
            "the base's tokenizer does not tell which characters a token stands for",
            where=where,
            hint="save the base with a tokenizer.json",
        )
    try:
        return str(tokenizer.get_chat_template())
    except ValueError:
        raise RecipeError(
            "the base has no chat template: it was never taught to hold a conversation",
            where=where,
            hint="take the base's instruct version, or put a chat_template.jinja into its folder",
        ) from None


def at_place(error: RecipeError, place: str) -> RecipeError:
    """The error with the file and line of the conversation that it is about."""
    return RecipeError(error.what, where=error.where or place, hint=error.hint)
