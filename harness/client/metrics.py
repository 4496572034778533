"""The counters of a vLLM server: its Prometheus page, `/metrics` beside `/v1`."""

from __future__ import annotations

import math
from dataclasses import dataclass

from harness.client.credentials import bearer
from harness.client.failures import TransportFailed
from harness.client.transport.exchange import fetcher
from harness.client.transport.route import Route, path_of

_FIELDS = {
    "vllm:prompt_tokens_total": "prompt_tokens",
    "vllm:generation_tokens_total": "generation_tokens",
    "vllm:prefix_cache_queries_total": "cache_queries",
    "vllm:prefix_cache_hits_total": "cache_hits",
    "vllm:time_to_first_token_seconds_sum": "ttft_sum",
    "vllm:time_to_first_token_seconds_count": "ttft_count",
    "vllm:num_preemptions_total": "preemptions",
    "vllm:num_requests_running": "running",
    "vllm:num_requests_waiting": "waiting",
    "process_start_time_seconds": "started",
}
_COUNTERS = [name for key, name in _FIELDS.items() if key.endswith(("_total", "_sum", "_count"))]


@dataclass(frozen=True, slots=True)
class Metrics:
    """A server's counters since it started, and how busy it is; None for what the page lacks.

    All engines together, and base and adapters too: vLLM counts those under the base's name.
    Cache queries and hits are tokens, times are in seconds, `started` is in Unix time.
    """

    prompt_tokens: float | None = None
    generation_tokens: float | None = None
    cache_queries: float | None = None
    cache_hits: float | None = None
    ttft_sum: float | None = None
    ttft_count: float | None = None
    preemptions: float | None = None
    running: float | None = None
    waiting: float | None = None
    started: float | None = None

    @property
    def busy(self) -> bool:
        """Whether requests are under way or wait."""
        return bool(self.running) or bool(self.waiting)

    def restarted_since(self, before: Metrics) -> bool:
        """Whether the server process is another than that of `before`."""
        if None not in (self.started, before.started) and self.started != before.started:
            return True
        pairs = ((getattr(before, name), getattr(self, name)) for name in _COUNTERS)
        return any(None not in (then, now) and now < then for then, now in pairs)


async def scrape(
    url: str,
    api_key: str | None,
    *,
    timeout: float = 5.0,  # noqa: ASYNC109 - what is not there in time is not there
) -> Metrics | None:
    """The counters of the vLLM at `url` (with its `/v1`); None where there are none.

    Raises:
        UsageError: the address or the key cannot be used.
    """
    route = Route(url)
    headers = bearer(api_key, route.origin.host).headers
    try:
        async with fetcher(route, headers, timeout) as fetch:
            page = await fetch(f"{path_of(route.url).removesuffix('/v1')}/metrics")
    except (TimeoutError, TransportFailed):
        return None
    if page.status != 200 or page.kind != "text/plain":
        return None
    return parse(page.content.decode("utf-8", "replace"))


def parse(page: str) -> Metrics | None:
    """The counters on a Prometheus page of a vLLM; None for any other page.

    Raises nothing, whatever the page holds.
    """
    from prometheus_client.parser import text_string_to_metric_families

    found: dict[str, float] = {}
    try:
        for family in text_string_to_metric_families(page):
            for sample in family.samples:
                name = _FIELDS.get(sample.name)
                if name is not None:
                    found[name] = found.get(name, 0.0) + sample.value
    except (ValueError, LookupError):  # the parser lets some broken lines fall through
        return None
    known = {name: value for name, value in found.items() if math.isfinite(value)}
    return Metrics(**known) if known.keys() - {"started"} else None
