"""The last minute of a server: what was sent in it, and when there is room for more."""

from __future__ import annotations

from collections import deque

# Half a second more than a minute: requests that leave a minute apart may arrive closer together.
SPAN = 60.5


class Use:
    """One request in the window; its tokens may become fewer or more when they are known."""

    __slots__ = ("moment", "tokens")

    def __init__(self, moment: float, tokens: int) -> None:
        self.moment = moment
        self.tokens = tokens


class Window:
    """A sliding window over what was sent; `None` is no limit.

    All of a request, its answer's tokens too, counts at the moment it was sent. What was sent is
    let go `SPAN` seconds later, so that no 60 seconds ever hold more than the limits.
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
