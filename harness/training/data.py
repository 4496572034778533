"""Training conversations: read, checked line by line, and divided by group."""

from __future__ import annotations

import json
import os.path
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from harness.errors import RecipeError, UsageError
from harness.files import digest_json, read_text
from harness.records.base import Record, explain
from harness.training.candidate import Recipe, Split

SHAPE = '{"group": "...", "messages": [{"role": "user", "content": "..."}, ...]}'


class Turn(Record):
    """One message of a training conversation."""

    role: Literal["system", "user", "assistant"]
    content: str = Field(min_length=1)


class Conversation(Record):
    """One line of a data file; `group` names its family of paraphrases."""

    group: str = Field(min_length=1)
    messages: tuple[Turn, ...] = Field(min_length=2)

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


@dataclass(frozen=True, slots=True)
class Divided:
    """Conversations on both sides, with the record of the split."""

    train: tuple[Conversation, ...]
    validation: tuple[Conversation, ...]
    split: Split


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
    found: list[Conversation] = []
    for name in recipe.data:
        path = project_path(project_dir, name, f"recipe {recipe.name}: data")
        if not path.is_file():
            raise RecipeError(
                f"no such data file: {name}",
                where=f"recipe {recipe.name}: data",
                hint="paths are relative to the project",
            )
        found.extend(_read_file(path, name))
    if not recipe.system_prompt:
        return tuple(found)
    system = Turn(role="system", content=recipe.system_prompt)
    return tuple(
        one
        if one.messages[0].role == "system"
        else Conversation(group=one.group, messages=(system, *one.messages))
        for one in found
    )


def _read_file(path: Path, name: str) -> list[Conversation]:
    found: list[Conversation] = []
    try:
        text = read_text(path)
    except UsageError as error:
        raise RecipeError(error.what, where=name, hint=error.hint) from None
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        where = f"{name}:{number}"
        try:
            found.append(Conversation.model_validate(json.loads(line)))
        except json.JSONDecodeError as error:
            raise RecipeError(
                f"not JSON: {error.msg} at column {error.colno}", where=where, hint=SHAPE
            ) from None
        except ValidationError as error:
            raise RecipeError(explain(error), where=where, hint=SHAPE) from None
    if not found:
        raise RecipeError("holds no conversation", where=name, hint=SHAPE)
    return found


def data_hash(conversations: Sequence[Conversation]) -> str:
    """The digest of the conversations as they will be trained on."""
    return digest_json([one.model_dump(mode="json") for one in conversations])


def divide(conversations: Sequence[Conversation], share: float, seed: int) -> Divided:
    """The conversations split so that every group is wholly on one side.

    Whole groups, in an order that the seed decides, go to validation until it holds `share` of
    the conversations; both sides keep at least one group.

    Raises:
        RecipeError: fewer than two groups.
    """
    sizes: dict[str, int] = {}
    for one in conversations:
        sizes[one.group] = sizes.get(one.group, 0) + 1
    if len(sizes) < 2:
        raise RecipeError(
            f"{len(sizes)} group in the data: none is free for validation",
            where="data",
            hint="give each family of paraphrases a `group` of its own",
        )
    order = sorted(sizes)
    random.Random(f"split/{seed}").shuffle(order)  # noqa: S311 - reproducible, not secret
    wanted, held, chosen = share * len(conversations), 0, set[str]()
    for group in order[:-1]:
        if chosen and held + sizes[group] > wanted:
            break
        chosen.add(group)
        held += sizes[group]
    train = tuple(one for one in conversations if one.group not in chosen)
    validation = tuple(one for one in conversations if one.group in chosen)
    return Divided(
        train,
        validation,
        Split(
            train_conversations=len(train),
            validation_conversations=len(validation),
            train_groups=len(sizes) - len(chosen),
            validation_groups=tuple(sorted(chosen)),
        ),
    )
