"""Rows whose columns are named by the user, or by another trainer's list of data sets."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.data.form import Form, Row, named
from harness.data.sample import Sample, asked, leftover, message, text_of, texts_of, turns
from harness.errors import UsageError
from harness.validation import nearest

FIELDS = ("prompt", "answer", "rejected", "system", "group", "id", "tags")


@dataclass(frozen=True)
class Columns:
    """A table whose columns the user has named: `{"prompt": "Question", "answer": "Reply"}`."""

    columns: Mapping[str, str]
    name: str = "columns"
    about: str = "a table of named columns"

    def matches(self, row: Row) -> bool:
        """Whether it has all the columns."""
        return set(self.columns.values()) <= row.keys()

    def read(self, row: Row) -> Iterator[Sample]:
        """The sample; an empty cell is as if there were no such column."""
        missing = [column for column in self.columns.values() if column not in row]
        if missing:
            listed = ", ".join(f"`{one}`" for one in list(row)[:12])
            raise ValueError(f"has no column `{missing[0]}`; there is {listed}")
        given = {key: row[column] for key, column in self.columns.items() if row[column] != ""}
        question = turns(given.get("prompt"), self.columns["prompt"])
        if "system" in given:
            question = (*turns([message("system", given["system"])], "system"), *question)
        tags = given.get("tags", ())
        yield Sample(
            asked(question, self.columns["prompt"]),
            texts_of(given["answer"], self.columns["answer"]) if "answer" in given else (),
            rejected=(
                text_of(given["rejected"], self.columns["rejected"])
                if "rejected" in given
                else None
            ),
            id=str(given["id"]) if "id" in given else None,
            group=str(given["group"]) if "group" in given else None,
            tags=tuple(re.split(r"\s*[,;]\s*", tags) if isinstance(tags, str) else map(str, tags)),
            lost=leftover(row, self.columns.values()),
        )


def parse_map(given: Sequence[str]) -> Columns | None:
    """The table that `FIELD=COLUMN` options describe; None without any.

    Raises:
        UsageError: an option that is no such pair, an unknown field, or no column of questions.
    """
    columns = parse_pairs(given, "--map", "FIELD=COLUMN")
    for field in columns:
        if field not in FIELDS:
            raise UsageError(f"no field `{field}`{nearest(field, FIELDS)}", where="--map")
    if columns and "prompt" not in columns:
        raise UsageError("names no column of questions", where="--map", hint="--map prompt=COLUMN")
    return Columns(columns) if columns else None


def form_of(form: str | None, columns: Sequence[str]) -> Form | None:
    """The form that `--form` names or `--map` describes; None where it is to be found out.

    Raises:
        UsageError: both are given, or one of them is wrong.
    """
    if form and columns:
        raise UsageError("`--form` and `--map` exclude each other", hint="give one of them")
    return named(form) if form else parse_map(columns)


def parse_pairs(given: Sequence[str], where: str, form: str) -> dict[str, str]:
    """What options such as `FIELD=COLUMN` say, by the name before the first `=`.

    Raises:
        UsageError: an option is not of the `form`, or two have one name.
    """
    found: dict[str, str] = {}
    for option in given:
        name, equals, value = option.partition("=")
        if not name or not equals or not value:
            raise UsageError(f"`{option}` is no {form}", where=where)
        if found.setdefault(name, value) != value:
            raise UsageError(f"`{name}` is given twice", where=where)
    return found


@dataclass(frozen=True)
class Renamed:
    """A form some of whose fields have other names; `turns` has those within its turns."""

    form: Form
    fields: Mapping[str, str]  # the form's name for a field, and the file's
    list_field: str = ""
    turn_fields: Mapping[str, str] | None = None
    roles: Mapping[str, str] | None = None

    @property
    def name(self) -> str:
        """The form's name."""
        return self.form.name

    @property
    def about(self) -> str:
        """What the form is."""
        return self.form.about

    def matches(self, row: Row) -> bool:
        """Whether the row, renamed, is of the form."""
        return self.form.matches(self._renamed(row))

    def read(self, row: Row) -> Iterator[Sample]:
        """The samples of the row."""
        yield from self.form.read(self._renamed(row))

    def _renamed(self, row: Row) -> dict[str, Any]:
        back = {theirs: own for own, theirs in self.fields.items() if theirs}
        found = {back.get(key, key): value for key, value in row.items()}
        chat = found.get(self.list_field)
        if isinstance(chat, list) and self.turn_fields:
            found[self.list_field] = [self._turn(turn) for turn in chat]
        return found

    def _turn(self, turn: Any) -> Any:
        if not isinstance(turn, Mapping):
            return turn
        back = {theirs: own for own, theirs in (self.turn_fields or {}).items()}
        renamed = {back.get(key, key): value for key, value in turn.items()}
        role = next((key for key in ("role", "from") if key in renamed), None)
        if role and self.roles:
            renamed[role] = self.roles.get(renamed[role], renamed[role])
        return renamed


@dataclass(frozen=True)
class Source:
    """A file of data, and its form where a list of data sets says it."""

    path: Path
    form: Form | None = None


def sources(path: Path, content: Any) -> list[Source] | None:
    """The files that a trainer's list of data sets names; None where the content is no such list.

    The list is LLaMA-Factory's `dataset_info.json` or the `datasets:` of an axolotl configuration.

    Raises:
        UsageError: a data set that is no local file, or in a form that is not known.
    """
    if not isinstance(content, Mapping):
        return None
    if isinstance(content.get("datasets"), list):
        return [_axolotl(path, one) for one in content["datasets"]]
    values = list(content.values())
    if values and all(
        isinstance(one, Mapping) and one.keys() & {"file_name", "hf_hub_url", "script_url"}
        for one in values
    ):
        return [_llama_factory(path, name, one) for name, one in content.items()]
    return None


def _local(path: Path, given: Any, what: str) -> Path:
    found = path.parent / str(given)
    if not given or not found.is_file():
        raise UsageError(f"no such file: {given}", where=f"{path}: {what}", hint="fetch it first")
    return found


def _axolotl(path: Path, one: Any) -> Source:
    given = one if isinstance(one, Mapping) else {}
    file = _local(path, given.get("path"), "datasets")
    kind = str(given.get("type") or "chat_template").partition(".")[0]
    if kind == "alpaca":
        return Source(file, named("alpaca"))
    if kind not in ("chat_template", "sharegpt"):
        raise UsageError(
            f"the type `{kind}` is not known", where=f"{path}: datasets", hint="--form"
        )
    field = str(given.get("field_messages") or given.get("conversation_field") or "messages")
    mappings = given.get("message_property_mappings") or {}
    own = {key: str(mappings[key]) for key in ("role", "content") if key in mappings}
    roles = {
        str(theirs): str(role)
        for role, several in (given.get("roles") or {}).items()
        for theirs in several
    }
    shared = mappings.get("role") == "from" or (kind == "sharegpt" and not mappings)
    if shared:
        return Source(file, Renamed(named("sharegpt"), {"conversations": field}))
    return Source(file, Renamed(named("messages"), {"messages": field}, "messages", own, roles))


def _llama_factory(path: Path, name: str, given: Mapping[str, Any]) -> Source:
    file = _local(path, given.get("file_name"), name)
    columns = {str(key): str(value) for key, value in (given.get("columns") or {}).items()}
    if given.get("formatting", "alpaca") == "alpaca":
        own = {"prompt": "instruction", "query": "input", "response": "output"}
        if given.get("ranking"):
            own = {"prompt": "prompt"}
        renamed = {own.get(key, key): value for key, value in columns.items()}
        form = named("preference" if given.get("ranking") else "alpaca")
        return Source(file, Renamed(form, renamed))
    tags = {str(key): str(value) for key, value in (given.get("tags") or {}).items()}
    turn = {
        "from": tags.get("role_tag", "from"), "value": tags.get("content_tag", "value"),
    }  # fmt: skip
    roles = {
        tags.get("user_tag", "human"): "human", tags.get("assistant_tag", "gpt"): "gpt",
        tags.get("system_tag", "system"): "system",
    }  # fmt: skip
    fields = {"conversations": columns.get("messages", "conversations")}
    if "system" in columns:
        fields["system"] = columns["system"]
    return Source(file, Renamed(named("sharegpt"), fields, "conversations", turn, roles))
