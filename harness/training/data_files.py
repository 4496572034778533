"""The data of a training, as its files have it."""

from __future__ import annotations

import json
import os.path
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError, field_validator, model_validator

from harness.errors import RecipeError, UsageError
from harness.files import digest_json, read_text
from harness.records.base import Record, explain
from harness.records.suite import Message
from harness.training.candidate import Recipe

SHAPE = '{"group": "...", "messages": [{"role": "user", "content": "..."}, ...]}'
PAIR_SHAPE = (
    '{"prompt": [{"role": "user", "content": "..."}], "chosen": [{"role": "assistant", ...}], '
    '"rejected": [{"role": "assistant", ...}]}'
)


class Conversation(Record):
    """One line of a data file; `group` names its family of paraphrases.

    `derived` names the form of asking that another line was put into, empty where it is none's.
    """

    group: str = Field(min_length=1)
    messages: tuple[Message, ...] = Field(min_length=2)
    # Without it a line has the digest of before there was one.
    derived: str = Field(default="", exclude_if=lambda name: name == "")

    @field_validator("group")
    @classmethod
    def _trim(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("must not be blank")
        return value.strip()

    @model_validator(mode="after")
    def _has_an_answer(self) -> Conversation:
        if self.messages[-1].role != "assistant":
            raise ValueError("messages: the last one must be the assistant's")
        if any(turn.role == "system" for turn in self.messages[1:]):
            raise ValueError("messages: only the first one may be the system's")
        return self


class Pair(Conversation):
    """A conversation whose last answer is preferred to `rejected`."""

    rejected: Message

    @property
    def rejected_conversation(self) -> Conversation:
        """The same conversation with the rejected answer."""
        return Conversation(group=self.group, messages=(*self.messages[:-1], self.rejected))


class _PairLine(Record):
    """One line of a file of preferences, in TRL's conversational form.

    Without `prompt`, the two conversations share all turns but the last.
    """

    group: str | None = Field(default=None, min_length=1)
    prompt: tuple[Message, ...] | None = Field(default=None, min_length=1)
    chosen: tuple[Message, ...] = Field(min_length=1)
    rejected: tuple[Message, ...] = Field(min_length=1)

    def pair(self) -> Pair:
        """The pair; without a `group`, pairs of one prompt are a group.

        Raises:
            ValueError: the line is no pair.
        """
        prompt = self.prompt or self.chosen[:-1]
        if self.prompt is None and self.rejected[:-1] != prompt:
            raise ValueError("chosen and rejected must share all turns but the last")
        if self.prompt is not None and (len(self.chosen), len(self.rejected)) != (1, 1):
            raise ValueError("beside `prompt`, chosen and rejected must hold one answer each")
        chosen, rejected = self.chosen[-1], self.rejected[-1]
        if rejected.role != "assistant":
            raise ValueError("rejected: the last message must be the assistant's")
        if not prompt or prompt[-1].role != "user":
            raise ValueError("prompt: the last message must be the user's")
        if chosen.content.strip() == rejected.content.strip():
            raise ValueError("chosen and rejected are the same answer")
        asked = digest_json([one.model_dump(mode="json") for one in prompt])
        group = self.group or f"prompt {asked.removeprefix('sha256:')[:12]}"
        return Pair(group=group, messages=(*prompt, chosen), rejected=rejected)


def project_path(project_dir: Path, given: str, where: str) -> Path:
    """The path a recipe means: relative to the project and within it, or absolute anywhere.

    Raises:
        RecipeError: a relative path that leaves the project.
    """
    if Path(os.path.normpath(given)).parts[:1] == (os.pardir,):
        raise RecipeError(
            f"`{given}` leaves the project",
            where=where,
            hint="write an absolute path if that is meant",
        )
    return project_dir / given


def read_data(recipe: Recipe, project_dir: Path) -> tuple[Conversation, ...]:
    """Every conversation of the recipe's files, in order, with its system prompt put first.

    Raises:
        RecipeError: a path that leaves the project, a missing or empty file, or a line that is no
            conversation.
    """
    return tuple(one for _, one in read_placed(recipe, project_dir))


def read_placed(recipe: Recipe, project_dir: Path) -> list[tuple[str, Conversation]]:
    """Every conversation with its file and line."""
    found: list[tuple[str, Conversation]] = []
    where = f"recipe {recipe.name}: data"
    for name in recipe.data:
        path = project_path(project_dir, name, where)
        if not path.is_file():
            hint = "paths are relative to the project"
            raise RecipeError(f"no such data file: {name}", where=where, hint=hint)
        found.extend(read_conversation_file(path, name, pairs=recipe.method == "dpo"))
    if not recipe.system_prompt:
        return found
    system = Message(role="system", content=recipe.system_prompt)
    return [
        (place, one)
        if one.messages[0].role == "system"
        else (place, one.model_copy(update={"messages": (system, *one.messages)}))
        for place, one in found
    ]


def read_conversation_file(
    path: Path, name: str, *, pairs: bool = False
) -> list[tuple[str, Conversation]]:
    """Every conversation of a file with its place, or every pair of preferences.

    Raises:
        RecipeError: the file is empty or cannot be read, or a line is none.
    """
    found: list[tuple[str, Conversation]] = []
    shape = PAIR_SHAPE if pairs else SHAPE
    try:
        text = read_text(path)
    except UsageError as error:
        raise RecipeError(error.what, where=name, hint=error.hint) from None
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        where = f"{name}:{number}"
        try:
            found.append((where, _read_line(json.loads(line), pairs=pairs)))
        except json.JSONDecodeError as error:
            raise RecipeError(
                f"not JSON: {error.msg} at column {error.colno}", where=where, hint=shape
            ) from None
        except ValidationError as error:
            raise RecipeError(explain(error), where=where, hint=shape) from None
        except ValueError as error:
            raise RecipeError(str(error), where=where, hint=shape) from None
    if not found:
        raise RecipeError(f"holds no {'pair' if pairs else 'conversation'}", where=name, hint=shape)
    return found


def _read_line(data: Any, *, pairs: bool) -> Conversation:
    return _PairLine.model_validate(data).pair() if pairs else Conversation.model_validate(data)
