"""What every record on disk has in common."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, ValidationError

# pydantic puts the tag of a union's member into a location; a reader's file has no such key.
_UNION_TAGS = frozenset(
    {
        "managed",
        "remote",
        "http",
        "better_than_baseline",
        "no_worse_than_baseline",
        "at_least",
        "at_most",
        "ratio_at_most",
        "no_new_critical_failures",
    }
)


class Record(BaseModel):
    """A frozen value that refuses unknown keys, NaN and infinities."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, protected_namespaces=()
    )


def explain(error: ValidationError) -> str:
    """The first problem in a validation error, as `key.path: what is wrong`, on one line."""
    problem = error.errors(include_url=False)[0]
    place = problem["loc"]
    parts = [str(part) for at, part in enumerate(place) if not _is_union_tag(place, at)]
    message = problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "extra_forbidden":
        message = "unknown key"
    elif problem["type"] == "missing":
        message = "missing key"
    rest = len(error.errors()) - 1
    more = f" (and {rest} more)" if rest else ""
    return f"{'.'.join(parts)}: {message}{more}" if parts else f"{message}{more}"


def _is_union_tag(place: tuple[int | str, ...], at: int) -> bool:
    """Whether the part at `at` is a tag, not a key or a name that only reads like one."""
    if at < 2 or place[at] not in _UNION_TAGS:
        return False
    of_a_server = at == 2 and place[0] == "servers"
    of_a_rule = place[at - 2] == "rules" and isinstance(place[at - 1], int)
    return of_a_server or of_a_rule
