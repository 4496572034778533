"""What a measurement of latency compared and what it found, in sentences."""

from __future__ import annotations

from math import inf

from harness.records.deployment import Deployment, ServerMode
from harness.records.latency import LatencySection
from harness.report import formats
from harness.visible_text import one_line

_FIRST_WORD = "ttft_p50"


def unbound(value: float | None) -> float:
    """The number, infinity for what a record leaves out as beyond every bound."""
    return inf if value is None else value


def found_words(section: LatencySection) -> str:
    """How much longer the first word takes, such as `4.9 times slower to the first word`.

    By the median at the first load that has one; empty where there is none. A difference that the
    interval, or the baseline's difference from itself, does not tell from none is called none.
    """
    found = (one for load in section.loads for one in load.metrics if one.metric == _FIRST_WORD)
    metric = next(found, None)
    if metric is None:
        return ""
    ratio, low, high = (
        unbound(value) for value in (metric.ratio.estimate, metric.ratio.low, metric.ratio.high)
    )
    noise = (metric.control.low, metric.control.high)
    within = None not in noise and unbound(noise[0]) <= ratio <= unbound(noise[1])
    if low <= 1.0 <= high or within:
        return "no difference to the first word that could be told"
    times, way = (ratio, "slower") if ratio > 1.0 else (1.0 / ratio if ratio else inf, "faster")
    if times >= 2.0:
        return f"{formats.number(round(times, 1))} times {way} to the first word"
    share = 100.0 * abs(ratio - 1.0)
    return f"{share:.0f} % {way} to the first word" if share >= 1.0 else (
        "no difference to the first word that matters"
    )  # fmt: skip


def deployments_words(section: LatencySection, candidate: str, baseline: str) -> str:
    """That deployments were compared, on which servers, and how those were up.

    Empty where both targets were on one server.
    """
    servers = section.servers
    if servers is None:
        return ""
    ours, theirs = _deployment(servers.candidate), _deployment(servers.baseline)
    return (
        f"Deployments were compared, not adapters: {one_line(candidate, 80)} is {ours}, "
        f"{one_line(baseline, 80)} is {theirs}. {_MODES[servers.mode]}"
    )


_MODES: dict[ServerMode, str] = {
    "side_by_side": (
        "Both servers were up side by side, each from one start: what one start has of its own is "
        "not part of the noise."
    ),
    "in_turns": (
        "One server was up at a time, started anew and warmed up for every block, the control's "
        "too: what differs from one start to the next is part of the noise."
    ),
}


def _deployment(found: Deployment) -> str:
    """A deployment in words: its server, the address, the version, and what it serves."""
    at = "" if found.address is None else f" at {found.address}"
    on = "" if found.adapter is None else f"the adapter {found.adapter} on "
    return one_line(f"{on}{found.model} on the server {found.server}{at} ({found.version})", 300)
