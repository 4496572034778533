"""`latency:` of the configuration: how a measurement is loaded, how long, and what is good."""

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


class Slo(Record):
    """What a request must keep to count as good; at least one of the two."""

    ttft: float | None = Field(default=None, gt=0.0)
    e2e: float | None = Field(default=None, gt=0.0)

    @model_validator(mode="after")
    def _says_something(self) -> Slo:
        if self.ttft is None and self.e2e is None:
            raise ValueError("give `ttft`, `e2e` or both, in seconds")
        return self


class LatencySettings(Record):
    """`latency:` of the configuration: what is asked, how often, and how it is to be answered.

    `requests` are those that count, of each arm at each load; `rounds` are how often the arms take
    turns. With `length: fixed` every answer is `max_tokens` long, where the server can be told.
    """

    loads: tuple[Load, ...] = Field(default=(Load(kind="poisson", share=0.65),), min_length=1)
    requests: int = Field(default=1000, ge=40)
    rounds: int = Field(default=20, ge=10)
    max_tokens: int = Field(default=64, ge=1)
    length: Literal["fixed", "natural"] = "fixed"
    slo: Slo | None = None
    suites: tuple[str, ...] = ()
    seed: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _fits(self) -> LatencySettings:
        if self.requests < 2 * self.rounds:
            raise ValueError("requests: must be at least twice the rounds")
        if len({str(load) for load in self.loads}) < len(self.loads):
            raise ValueError("loads: one is named twice")
        return self
