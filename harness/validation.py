"""Turn pydantic's errors into messages for the people who wrote the data.

A reader sees the key as the file has it, an unknown key with the nearest known one, and what was
expected in words of YAML.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

Keys = tuple[str | int, ...]
T = TypeVar("T", bound=BaseModel)
_EXPLAINED = "explained"
_MOST_LISTED = 12
_LONGEST_EXAMPLE = 60


class KeyProblem(ValueError):
    """A validator's complaint about one key of the data that it was given."""

    def __init__(self, what: str, *keys: str | int) -> None:
        self.what = what
        self.keys = keys
        super().__init__(": ".join([".".join(map(str, keys)), what] if keys else [what]))


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: the key as the file has it, and what about it.

    `rank` orders several, the lowest first; `solves_missing` is set where a key that is missing is
    there under a misspelt name.
    """

    keys: Keys
    what: str
    rank: int = 1
    more: int = 0
    solves_missing: bool = False
    of_length: bool = False

    @property
    def line(self) -> str:
        """`key.path: what is wrong`, and how many problems there are besides."""
        more = f" (and {self.more} more)" if self.more else ""
        return (
            f"{'.'.join(map(str, self.keys))}: {self.what}{more}" if self.keys else self.what + more
        )

    def below(self, keys: Iterable[str | int]) -> Problem:
        """The problem as the whole file has it, whose part under these keys was looked at."""
        return replace(self, keys=(*keys, *self.keys))


def problem(error: ValidationError, kind: type[BaseModel] | None = None) -> Problem:
    """The problem to report first: an unknown key before a missing one, else in file order."""
    problems = _problems(error, kind)
    return replace(min(problems, key=lambda one: one.rank), more=len(problems) - 1)


def _problems(error: ValidationError, kind: type[BaseModel] | None) -> list[Problem]:
    schema = None if kind is None else kind.__pydantic_core_schema__
    found: dict[tuple[Keys, int], list[dict[str, Any]]] = {}
    for each in error.errors(include_url=False):
        details = dict(each)
        keys, details["known"], details["refused"] = _walk(schema, details)
        found.setdefault((keys, _rank(details)), []).append(details)
    problems = [_problem(keys, rank, details) for (keys, rank), details in found.items()]
    solved = {one.keys[:-1] for one in problems if one.solves_missing}
    rest = [one for one in problems if one.rank != 2 or one.keys[:-1] not in solved]
    # A list whose only entry is wrong is too short for pydantic as well.
    below = {one.keys[:depth] for one in rest for depth in range(len(one.keys))}
    return [one for one in rest if not (one.of_length and one.keys in below)]


def validate_as(kind: type[T], data: Any) -> T:
    """The data as that model, for a validator that picks the model by what is in the data.

    Raises:
        ValidationError: every problem at its place; `problem` finds there what is known here.
    """
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        problems = [
            InitErrorDetails(
                type=PydanticCustomError(
                    _EXPLAINED,
                    "{what}",
                    {"what": one.what, "rank": one.rank, "solves_missing": one.solves_missing},
                ),
                loc=one.keys,
                input=None,
            )
            for one in _problems(error, kind)
        ]
        raise ValidationError.from_exception_data(kind.__name__, problems) from None


def nearest(word: str, known: Iterable[str]) -> str:
    """`; did you mean …?` for a word that is close to a known one, else what is known."""
    names = sorted(known)
    close = get_close_matches(word, names, n=1, cutoff=0.6)
    if close:
        return f"; did you mean `{close[0]}`?"
    listed = ", ".join(names)
    return f"; known here: {listed}" if 0 < len(names) <= _MOST_LISTED else ""


def _rank(details: Mapping[str, Any]) -> int:
    if details["type"] == _EXPLAINED:
        return int(details["ctx"]["rank"])
    return {"extra_forbidden": 0, "missing": 2}.get(details["type"], 1)


def _problem(keys: Keys, rank: int, several: list[dict[str, Any]]) -> Problem:
    """What is wrong with one key; several details are those of the alternatives of a union."""
    details = several[0]
    if details["type"] == _EXPLAINED:
        known = details["ctx"]
        return Problem(keys, known["what"], rank, solves_missing=known["solves_missing"])
    if rank == 0 and (why := details["refused"].get(keys[-1])):
        return Problem(keys, why, rank)
    if rank == 0:
        missing = nearest(str(keys[-1]), details["known"])
        return Problem(keys, f"unknown key{missing}", rank, solves_missing="did you" in missing)
    raised = details.get("ctx", {}).get("error")
    if isinstance(raised, KeyProblem):
        return Problem((*keys, *raised.keys), raised.what, rank)
    if details["type"].startswith("union_tag"):
        keys = (*keys, details["ctx"]["discriminator"].strip("'"))
    nouns = [_NOUNS.get(one["type"]) for one in several]
    if all(nouns):
        return Problem(keys, _wrong_type(list(dict.fromkeys(map(str, nouns))), details), rank)
    plain = next(one for one in several if one["type"] not in _NOUNS)
    return Problem(keys, _words(plain), rank, of_length=plain["type"] == "too_short")


# What a type is called; the kinds of pydantic's errors are listed in its documentation.
_NOUNS = {
    **dict.fromkeys(("string_type", "string_sub_type"), "text"),
    **dict.fromkeys(
        ("tuple_type", "list_type", "set_type", "frozen_set_type", "iterable_type"), "a list"
    ),
    **dict.fromkeys(
        ("dict_type", "model_type", "model_attributes_type", "mapping_type"),
        "a mapping of `key: value` lines",
    ),
    **dict.fromkeys(("bool_type", "bool_parsing"), "true or false"),
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), "a whole number"),
    **dict.fromkeys(("float_type", "float_parsing"), "a number"),
    "none_required": "empty",
}


def _wrong_type(nouns: list[str], details: Mapping[str, Any]) -> str:
    given = details["input"]
    expected = " or ".join([", ".join(nouns[:-1]), nouns[-1]] if nouns[1:] else nouns)
    if details["type"] == "int_from_float":
        return f"must be {expected}, not a fraction"
    if given is None:
        return f"must be {expected}, and is empty"
    text = f"must be {expected}, not {_noun_of(given)}"
    if _noun_of(given) in nouns:  # beyond what a double holds
        return f"must be {expected} of fewer digits"
    if "a list" in nouns and isinstance(given, str | int | float) and not isinstance(given, bool):
        text_given = str(given)
        if (
            len(text_given) <= _LONGEST_EXAMPLE
            and "://" not in text_given
            and text_given.isprintable()
        ):
            return f"must be {expected}: write [{text_given}]"
    if "text" in nouns and isinstance(given, bool | int | float | datetime.date):
        text += "; put it in quotes"
    return text


def _noun_of(given: Any) -> str:
    kinds: tuple[tuple[type | tuple[type, ...], str], ...] = (
        (bool, "true or false"),
        ((int, float), "a number"),
        (str, "text"),
        ((list, tuple), "a list"),
        (dict, "a mapping"),
        (datetime.date, "a date"),
    )
    return next((noun for kind, noun in kinds if isinstance(given, kind)), type(given).__name__)


def _words(details: Mapping[str, Any]) -> str:
    """What is wrong, where it is no matter of another type alone."""
    words_of = _WORDS.get(details["type"])
    if words_of is not None:
        return words_of(details.get("ctx", {}), details["input"])
    raised = details.get("ctx", {}).get("error")
    if isinstance(raised, Exception):
        return str(raised)
    return str(details["msg"]).removeprefix("Value error, ")


def _choice(listed: str, given: Any) -> str:
    """One of several words; `listed` is pydantic's `'a', 'b' or 'c'`."""
    names = re.findall("'([^']*)'", listed)
    words = [f"`{name}`" for name in names] or [listed]
    text = "must be " + " or ".join([", ".join(words[:-1]), words[-1]] if words[1:] else words)
    close = get_close_matches(given, names, n=1, cutoff=0.6) if isinstance(given, str) else []
    return f"{text}; did you mean `{close[0]}`?" if close and len(names) > 1 else text


def _entries(ctx: Mapping[str, Any], limit: str, key: str) -> str:
    count = ctx[key]
    return f"must hold at {limit} {count} {'entry' if count == 1 else 'entries'}"


def _bound(words: str, key: str) -> Callable[[Mapping[str, Any], Any], str]:
    def words_of(ctx: Mapping[str, Any], _: Any) -> str:
        limit = ctx[key]
        return f"must be {words} {limit if isinstance(limit, int) else f'{limit:g}'}"

    return words_of


_WORDS: dict[str, Callable[[Mapping[str, Any], Any], str]] = {
    "missing": lambda *_: "missing key",
    "finite_number": lambda *_: "must be a finite number",
    "int_parsing_size": lambda *_: "must be a number of fewer digits",
    "greater_than": _bound("more than", "gt"),
    "greater_than_equal": _bound("at least", "ge"),
    "less_than": _bound("less than", "lt"),
    "less_than_equal": _bound("at most", "le"),
    "literal_error": lambda ctx, given: _choice(ctx["expected"], given),
    "enum": lambda ctx, given: _choice(ctx["expected"], given),
    "union_tag_invalid": lambda ctx, _: _choice(ctx["expected_tags"], ctx["tag"]),
    "union_tag_not_found": lambda *_: "missing key",
    "string_too_short": lambda ctx, _: (
        "must not be empty"
        if ctx["min_length"] == 1
        else f"must have at least {ctx['min_length']} characters"
    ),
    "string_too_long": lambda ctx, _: f"must have at most {ctx['max_length']} characters",
    "string_pattern_mismatch": lambda ctx, _: f"must match the pattern `{ctx['pattern']}`",
    "too_short": lambda ctx, _: _entries(ctx, "least", "min_length"),
    "too_long": lambda ctx, _: _entries(ctx, "most", "max_length"),
}


def _walk(
    schema: Any, details: Mapping[str, Any]
) -> tuple[Keys, tuple[str, ...], Mapping[str | int, str]]:
    """The keys of an error as the file has them, and the keys that are known where it is.

    The last are those that are refused there, with the reason, as a model's `refused` lists them.

    pydantic puts the names of a union's alternatives into an error's location; the schema tells
    which they are.
    """
    keys: list[str | int] = []
    parts = details["loc"]
    definitions: dict[str, Any] = {}
    for part in parts[:-1]:
        schema = _inner(schema, definitions)
        is_key, schema = _step(schema, part)
        if is_key:
            keys.append(part)
    kind = _model(schema)
    schema = _inner(schema, definitions)
    known: tuple[str, ...] = ()
    if parts:
        is_key, _ = _step(schema, parts[-1])
        if is_key:
            keys.append(parts[-1])
        if schema is not None and schema["type"] == "model-fields":
            known = getattr(kind, "also_read", ()) + tuple(
                alias if isinstance(alias := field.get("validation_alias"), str) else name
                for name, field in schema["fields"].items()
            )
    return tuple(keys), known, getattr(kind, "refused", {})


def _model(schema: Any) -> type | None:
    """The model that a schema is of; it may read keys besides its fields, or refuse some."""
    while schema is not None and "cls" not in schema:
        schema = schema.get("schema")
    return schema["cls"] if schema is not None else None


def _inner(schema: Any, definitions: dict[str, Any]) -> Any:
    """The part of a schema that looks into the data, below what only wraps it."""
    while schema is not None:
        kind = schema["type"]
        if kind == "definitions":
            definitions.update({one["ref"]: one for one in schema["definitions"]})
            schema = schema["schema"]
        elif kind == "definition-ref":
            schema = definitions.get(schema["schema_ref"])
        elif "schema" in schema:
            schema = schema["schema"]
        else:
            return schema
    return None


def _step(schema: Any, part: str | int) -> tuple[bool, Any]:
    """Whether a part of a location is a key of the data, and the schema of what is there."""
    kind = None if schema is None else schema["type"]
    if kind == "model-fields":
        return True, schema["fields"].get(part)
    if kind == "dict":
        return part != "[key]", schema.get("values_schema")
    if kind in ("list", "set", "frozenset"):
        return True, schema.get("items_schema")
    if kind == "tuple":
        items = schema["items_schema"]
        return True, items[min(int(part), len(items) - 1)] if items else None
    if kind == "tagged-union":
        return False, schema["choices"].get(part)
    if kind == "union":
        return False, None
    return True, None
