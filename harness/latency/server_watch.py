"""The server's side of a latency measurement: what it counted and logged in between."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.client.metrics import Metrics, scrape
from harness.clock import SYSTEM_CLOCK, Clock
from harness.records.latency import ServerHealth
from harness.serving import log
from harness.targets.endpoint import Endpoint

# Requests that were given up may take a moment to leave.
_SETTLE_SECONDS = 0.02
_LOOKS = 25


@dataclass(frozen=True, slots=True)
class Look:
    """What a server at its address had counted at a moment, and how long its log was."""

    url: str
    metrics: Metrics | None
    logged: int = 0


class ServerWatch:
    """Looks at a server's counters, and at its log where it is ours."""

    def __init__(
        self, endpoint: Endpoint, logged: Path | None = None, *, clock: Clock = SYSTEM_CLOCK
    ) -> None:
        self._endpoint = endpoint
        self._log = logged
        self._clock = clock

    async def look(self) -> Look:
        """How things stand now; a server that is still busy is given half a second to end."""
        url = self._endpoint.urls[0]
        metrics = await self._settled(url)
        return Look(url, metrics, 0 if self._log is None else log.length(self._log))

    async def _settled(self, url: str) -> Metrics | None:
        for left in reversed(range(_LOOKS)):
            metrics = await scrape(url, self._endpoint.api_key)
            if metrics is None or not metrics.busy or not left:
                break
            await self._clock.sleep(_SETTLE_SECONDS)
        return metrics

    def health(self, before: Look, after: Look) -> ServerHealth:
        """What happened between two looks.

        A figure is None where the server does not tell it, or is no longer the process it was.
        """
        hits, queries = (_rise(before, after, name) for name in ("cache_hits", "cache_queries"))
        waited, firsts = (_rise(before, after, name) for name in ("ttft_sum", "ttft_count"))
        lines = []
        if self._log is not None:
            lines = log.between(self._log, before.logged, after.logged)
        return ServerHealth(
            prompt_tokens=_whole(_rise(before, after, "prompt_tokens")),
            generation_tokens=_whole(_rise(before, after, "generation_tokens")),
            cache_hit_share=hits / queries if hits is not None and queries else None,
            ttft_mean=waited / firsts if waited is not None and firsts else None,
            compiled=log.compiling(lines),
        )


def _rise(before: Look, after: Look, counter: str) -> float | None:
    """By how much a counter rose between two looks."""
    then, now = before.metrics, after.metrics
    if then is None or now is None or before.url != after.url or now.restarted_since(then):
        return None
    first, last = getattr(then, counter), getattr(now, counter)
    return None if first is None or last is None else float(last - first)


def _whole(number: float | None) -> int | None:
    return None if number is None else round(number)
