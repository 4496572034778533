"""The money that one server may cost: what is spent, what is promised, what is left."""

from __future__ import annotations

from harness.clock import Clock
from harness.records.attempt import Usage
from harness.records.server import Price

# Sums of floats may miss a limit that they meet exactly.
_ROUNDING = 1 + 1e-9


class Budget:
    """What a server has cost since this was made, against what it may cost at most.

    By tokens, a request's cost is reserved at its worst before it is sent, and settled when its
    usage is known. By the hour, all `replicas` cost all the time, and what is reserved is the
    time that the longest answer so far took.
    """

    def __init__(self, limit: float, price: Price, *, replicas: int, clock: Clock) -> None:
        self.limit = limit
        self._price = price
        self._replicas = replicas
        self._clock = clock
        self._opened = clock.now()
        self._settled = 0.0
        self._reserved = 0.0
        self._longest = 0.0

    @property
    def spent(self) -> float:
        """What the server has cost by now."""
        return self._settled + self._rent(self._clock.now() - self._opened)

    def cost(self, usage: Usage) -> float:
        """What these tokens cost; nothing where time is what is paid for."""
        return self._price.of_tokens(usage) or 0.0

    def needs(self, usage: Usage) -> float:
        """What a request may cost from now on, with so many tokens at most."""
        return self.cost(usage) + self._rent(self._longest)

    def fits(self, usage: Usage) -> bool:
        """Whether the request and all that are under way stay within the limit at their worst."""
        return self.spent + self._reserved + self.needs(usage) <= self.limit * _ROUNDING

    def reserve(self, usage: Usage) -> float:
        """The cost set aside for a request, to be handed to `settle`."""
        cost = self.cost(usage)
        self._reserved += cost
        return cost

    def settle(self, reserved: float, cost: float, seconds: float) -> None:
        """Replace what was reserved by what it came to, after so many seconds."""
        self._reserved -= reserved
        self._settled += cost
        self._longest = max(self._longest, seconds)

    def _rent(self, seconds: float) -> float:
        return self._price.of_seconds(seconds, self._replicas) or 0.0
