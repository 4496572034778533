"""The limits of a server: requests and tokens per minute, and the cost budget."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from harness.clock import Clock
from harness.records.attempt import Usage
from harness.records.cost import Price

# Half a second more than a minute: requests that leave a minute apart may arrive closer together.
SPAN = 60.5
# Sums of floats may miss a limit that they meet exactly.
_ROUNDING = 1 + 1e-9


@dataclass(slots=True, eq=False)
class Use:
    """One request in the window; its tokens may become fewer or more when they are known."""

    moment: float
    tokens: int


class Window:
    """A sliding window over what was sent; `None` is no limit.

    A request, with the tokens of its answer, counts at the moment it was sent, and leaves the
    window `SPAN` seconds later, so that no 60 seconds ever hold more than the limits.
    """

    def __init__(self, requests: int | None, tokens: int | None) -> None:
        self._requests = requests
        self._tokens = tokens
        self._uses: deque[Use] = deque()
        self._total = 0

    def holds(self, tokens: int) -> bool:
        """Whether an empty window has room for a request of so many tokens."""
        return self._tokens is None or tokens <= self._tokens

    def due(self, now: float, tokens: int) -> float:
        """In how many seconds there is room for a request of so many tokens; 0.0 is now."""
        while self._uses and now - self._uses[0].moment >= SPAN:
            self._total -= self._uses.popleft().tokens
        surplus = 0 if self._requests is None else len(self._uses) + 1 - self._requests
        excess = 0 if self._tokens is None else self._total + tokens - self._tokens
        if surplus <= 0 and excess <= 0:
            return 0.0
        last = now
        for use in self._uses:
            last = use.moment
            surplus -= 1
            excess -= use.tokens
            if surplus <= 0 and excess <= 0:
                break
        # At least something, so that a wait never ends a rounding error before its time.
        return max(last + SPAN - now, 1e-6)

    def add(self, now: float, tokens: int) -> Use:
        """Count a request that is sent now."""
        use = Use(now, tokens)
        if self._requests is not None or self._tokens is not None:
            self._uses.append(use)
            self._total += tokens
        return use

    def settle(self, use: Use, tokens: int) -> None:
        """Replace what was reserved by what was used."""
        if self._uses and use.moment >= self._uses[0].moment:
            self._total += tokens - use.tokens
        use.tokens = tokens


class Budget:
    """What a server has cost since this object was made, and the most it may cost.

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
