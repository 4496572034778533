"""A metric: what one number of a section measures, and which values it can have."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from harness.records.base import Record


class Metric(Record):
    """A section's named number: its unit, which direction is better, and its bounds.

    `low` and `high` are None where there is no bound. The default is a share in [0, 1] of which
    more is better; such a metric is written as its name alone. One that `needs_audit` comes from
    what may favour a side, such as a model that judges: no rule passes or fails by its word alone.
    """

    name: str = Field(min_length=1)
    unit: str = Field(default="share", min_length=1)
    direction: Literal["higher", "lower"] = "higher"
    low: float | None = 0.0
    high: float | None = 1.0
    needs_audit: bool = False

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, given: Any) -> Any:
        return {"name": given} if isinstance(given, str) else given

    @model_validator(mode="after")
    def _bounds_in_order(self) -> Metric:
        if self.low is not None and self.high is not None and self.low >= self.high:
            raise ValueError(f"low {self.low:g} is not below high {self.high:g}")
        return self

    @model_serializer
    def _as_name(self) -> Any:
        # Written whole otherwise, so that a bound that is None is not lost with other Nones.
        if self.is_share:
            return self.name
        found = dict(self)
        if not self.needs_audit:  # as it was before there were any
            del found["needs_audit"]
        return found

    @property
    def is_share(self) -> bool:
        """Whether this is a share in [0, 1] of which more is better, and needs no audit."""
        own = self.unit, self.direction, self.low, self.high, self.needs_audit
        return own == ("share", "higher", 0.0, 1.0, False)

    @property
    def bounded(self) -> bool:
        """Whether its values have both a lower and an upper bound."""
        return self.low is not None and self.high is not None

    @property
    def lower_is_better(self) -> bool:
        """Whether a smaller value is the better one."""
        return self.direction == "lower"

    @property
    def unless_share(self) -> Metric | None:
        """The metric; None where it is a share of which more is better, as nearly all are."""
        return None if self.is_share else self

    def outside(self, value: float) -> str:
        """What is wrong with a value that the metric cannot have; empty where nothing is."""
        if self.low is not None and value < self.low:
            return f"{self.name} {value:g} is less than {self.low:g}"
        if self.high is not None and value > self.high:
            return f"{self.name} {value:g} is more than {self.high:g}"
        return ""


SHARE = Metric(name="share")


class OfMetric(Record):
    """A record of a metric's numbers, with what the metric means where it is no usual share.

    Keys in `LEFT_OUT` are not written where they are None.
    """

    LEFT_OUT: ClassVar[tuple[str, ...]] = ("definition",)

    definition: Metric | None = None

    @model_serializer(mode="wrap")
    def _without_absent(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        data: dict[str, Any] = handler(self)
        absent = [name for name in self.LEFT_OUT if data.get(name, ...) is None]
        return {name: value for name, value in data.items() if name not in absent}
