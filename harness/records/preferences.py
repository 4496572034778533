"""What people prefer of several targets: who won against whom, and how strong each is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Duel:
    """How often people preferred one target's answers to another's; raters of an item averaged.

    `won` + `tied` + `lost` is the number of items, seen from `one`.
    """

    one: str
    other: str
    won: float
    tied: float
    lost: float


@dataclass(frozen=True, slots=True)
class PreferredShare:
    """The share that a target wins against each of the others on average, a tie one half.

    `low` and `high` are one-sided bounds at alpha each.
    """

    target: str
    estimate: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Preferences:
    """All duels of the targets; no shares where there is a `reason` why none can be computed."""

    duels: tuple[Duel, ...]
    shares: tuple[PreferredShare, ...]
    raters: int
    items: int
    groups: int
    reason: str = ""

    def between(self, one: str, other: str) -> Duel | None:
        """The duel seen from `one`, None where nobody compared the two."""
        for duel in self.duels:
            if (duel.one, duel.other) == (one, other):
                return duel
            if (duel.other, duel.one) == (one, other):
                return Duel(one, other, duel.lost, duel.tied, duel.won)
        return None
