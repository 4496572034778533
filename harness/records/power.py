"""Power: what a rule can tell with the suite as it is."""

from __future__ import annotations

from harness.records.base import Record


class RulePower(Record):
    """What a rule can tell, in units of its metric; a ratio's distances are on the ratio.

    `margin` is the distance that has to show: the rule's own margin, or for a rule without one how
    far the estimate lies on the good side of the limit, None if it does not. `detectable` is the
    smallest distance that shows four times out of five, and `groups_needed` how many groups the
    margin asks for, None where no number does.
    """

    metric: str
    require: str
    cases: int
    groups: int
    margin: float | None
    detectable: float
    groups_needed: int | None

    @property
    def enough(self) -> bool:
        """Whether the margin is no finer than what the suite can tell."""
        return self.margin is not None and self.margin >= self.detectable
