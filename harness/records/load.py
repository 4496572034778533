"""A load of a latency measurement: how requests are put to a server."""

from __future__ import annotations

import re
from typing import Any, Literal

from pydantic import ConfigDict, Field, model_serializer, model_validator

from harness.records.base import Record

_WRITTEN = re.compile(r"single|closed:(\d+)|poisson:(\d+(?:\.\d+)?)(/s|%)")
_PATTERN = r"^(single|closed:\d+|poisson:\d+(\.\d+)?(/s|%))$"


class Load(Record):
    """Requests one after the other, `closed:N` at a time, or `poisson:R/s` or `poisson:P%` open.

    A closed load sends the next request when one ends; an open one sends at moments drawn
    beforehand, whatever the server does. P is a share of the baseline's measured capacity.
    """

    # A file has it as text.
    model_config = ConfigDict(json_schema_extra=lambda schema: _as_text(schema))

    kind: Literal["single", "closed", "poisson"]
    concurrency: int = Field(default=1, ge=1, le=4096)
    rate: float | None = Field(default=None, ge=0.001)
    share: float | None = Field(default=None, ge=0.0001, le=1.0)

    @model_validator(mode="before")
    @classmethod
    def _parse(cls, written: Any) -> Any:
        if not isinstance(written, str):
            return written
        found = _WRITTEN.fullmatch(written)
        if found is None:
            raise ValueError(
                f"`{written}` is no load: write single, closed:16, poisson:5/s or poisson:65%"
            )
        closed, amount, unit = found.groups()
        if closed is not None:
            return {"kind": "closed", "concurrency": int(closed)}
        if amount is None:
            return {"kind": "single"}
        if unit == "/s":
            return {"kind": "poisson", "rate": float(amount)}
        return {"kind": "poisson", "share": float(amount) / 100.0}

    @model_validator(mode="after")
    def _one_kind(self) -> Load:
        if (self.kind == "poisson") == (self.rate is None and self.share is None):
            raise ValueError("a rate or a share belongs to `poisson`, and to nothing else")
        if None not in (self.rate, self.share):
            raise ValueError("give a rate or a share")
        return self

    @model_serializer
    def _write(self) -> str:
        return str(self)

    def __str__(self) -> str:
        if self.kind == "single":
            return "single"
        if self.kind == "closed":
            return f"closed:{self.concurrency}"
        if self.rate is not None:
            return f"poisson:{_written(self.rate)}/s"
        return f"poisson:{_written(100.0 * (self.share or 0.0))}%"


def _as_text(schema: dict[str, Any]) -> None:
    examples = ["single", "closed:16", "poisson:5/s", "poisson:65%"]
    description = schema.get("description")
    schema.clear()
    schema |= {"type": "string", "pattern": _PATTERN, "examples": examples}
    if description is not None:
        schema["description"] = description


def _written(number: float) -> str:
    """The number without an exponent, as a load is read."""
    return f"{number:.9f}".rstrip("0").rstrip(".")
