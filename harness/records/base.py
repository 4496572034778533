"""What every record on disk has in common, and what is wrong with a file in plain words."""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from harness.errors import UsageError
from harness.validation import problem
from harness.yaml_files import YamlFile

T = TypeVar("T", bound=BaseModel)
# What an editor shows of a key under which a model stands.
MODEL_FORM = "A folder, or a name on a hub: ORG/NAME or ORG/NAME@REVISION."


class Record(BaseModel):
    """A frozen value that refuses unknown keys, NaN and infinities."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, protected_namespaces=()
    )


def explain(error: ValidationError, kind: type[BaseModel] | None = None) -> str:
    """The first problem in a validation error, as `key.path: what is wrong`, on one line.

    `kind` is the model that did not fit: with it, an unknown key comes with the nearest known one.
    """
    return problem(error, kind).line


def read_record(
    kind: type[T], file: YamlFile, error_type: type[UsageError], *at: str, hint: str = ""
) -> T:
    """The record in a YAML file, or in the part of it under the keys `at`.

    Raises:
        UsageError: (as `error_type`) the first problem, with file, line and key.
    """
    data = file.data
    for key in at:
        data = data[key]
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        found = problem(error, kind).below(at)
        raise error_type(found.line, where=file.where(*found.keys), hint=hint) from None
