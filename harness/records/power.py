"""Power: what a rule can tell with the suite as it is."""

from __future__ import annotations

from harness.records.base import Record


class RulePower(Record):
    """What a rule can tell, in units of its metric; a ratio's distances are on the ratio.

    `room` is the distance that has to show: the rule's own margin, or for a rule without one how
    far the estimate lies on the good side of the limit, None if it does not. `detectable` is the
    smallest distance that shows four times out of five, None where `reason` says why there is
    none. `groups_needed` is how many groups the room asks for, None where those at hand are enough
    or no number is. `possible` is false where no candidate can pass, however good.
    """

    metric: str | None = None
    require: str
    cases: int | None = None
    groups: int | None = None
    room: float | None = None
    detectable: float | None = None
    groups_needed: int | None = None
    reason: str = ""
    possible: bool = True

    @property
    def enough(self) -> bool | None:
        """Whether the room is no finer than what the suite can tell; None where there is none."""
        if self.room is None or self.detectable is None:
            return None
        return self.room >= self.detectable
