"""The server's side of a latency measurement: what it counted and logged in between."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.client.metrics import Metrics, scrape
from harness.clock import SYSTEM_CLOCK, Clock
from harness.records.latency import ServerHealth
from harness.serving import log
from harness.stages.connect import Endpoint

# Requests that were given up may take a moment to leave.
_SETTLE_SECONDS = 0.02
_LOOKS = 25


@dataclass(frozen=True, slots=True)
class Look:
    """What a server had counted at a moment, by address, and how long its logs were."""

    metrics: Mapping[str, Metrics | None]
    logs: Mapping[Path, int]


class ServerWatch:
    """Looks at a server's counters and at the logs of those that are ours."""

    def __init__(
        self, endpoint: Endpoint, logs: Sequence[Path] = (), *, clock: Clock = SYSTEM_CLOCK
    ) -> None:
        self._endpoint = endpoint
        self._logs = tuple(logs)
        self._clock = clock

    async def look(self) -> Look:
        """How things stand now; a server that is still busy is given half a second to end."""
        urls = self._endpoint.urls
        found = await asyncio.gather(*(self._settled(url) for url in urls))
        lengths = {path: log.length(path) for path in self._logs}
        return Look(dict(zip(urls, found, strict=True)), lengths)

    async def _settled(self, url: str) -> Metrics | None:
        for left in reversed(range(_LOOKS)):
            metrics = await scrape(url, self._endpoint.api_key)
            if metrics is None or not metrics.busy or not left:
                break
            await self._clock.sleep(_SETTLE_SECONDS)
        return metrics

    def health(self, before: Look, after: Look) -> ServerHealth:
        """What happened between two looks, over all replicas.

        A figure is None where one replica does not tell it, or is no longer the process it was.
        """
        hits, queries = (_rise(before, after, name) for name in ("cache_hits", "cache_queries"))
        waited, firsts = (_rise(before, after, name) for name in ("ttft_sum", "ttft_count"))
        lines = [
            line
            for path in self._logs
            for line in log.between(path, before.logs.get(path, 0), after.logs.get(path, 0))
        ]
        return ServerHealth(
            prompt_tokens=_whole(_rise(before, after, "prompt_tokens")),
            generation_tokens=_whole(_rise(before, after, "generation_tokens")),
            cache_hit_share=hits / queries if hits is not None and queries else None,
            ttft_mean=waited / firsts if waited is not None and firsts else None,
            compiled=log.compiling(lines),
        )


def _rise(before: Look, after: Look, counter: str) -> float | None:
    """By how much a counter rose between two looks, over all replicas."""
    if not after.metrics or before.metrics.keys() != after.metrics.keys():
        return None
    total = 0.0
    for url, now in after.metrics.items():
        then = before.metrics[url]
        if then is None or now is None or now.restarted_since(then):
            return None
        first, last = getattr(then, counter), getattr(now, counter)
        if first is None or last is None:
            return None
        total += last - first
    return total


def _whole(number: float | None) -> int | None:
    return None if number is None else round(number)
