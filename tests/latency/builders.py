"""Blocks made without a server, for what is worked out of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.records.attempt import Failure, Timing
from harness.records.latency import Arm, Block, Bounded, ClientHealth, LatencyMetric, Sample
from harness.records.load import Load

WELL = ClientHealth(lag_p99=0.0, lag_longest=0.0, gc_longest=0.0, gc_total=0.0, cpu=0.1)
SINGLE = Load(kind="single")


def sample(ttft: float = 0.1, gaps: Sequence[float] = (0.02, 0.02), **more: Any) -> Sample:
    chunks = [ttft]
    for gap in gaps:
        chunks.append(chunks[-1] + gap)
    given = {
        "prompt": 0,
        "due": 0.0,
        "timing": Timing(sent=0.0, chunks=tuple(chunks), done=chunks[-1] + 0.001),
        "tokens": len(chunks),
        **more,
    }
    return Sample(**given)


def lost(due: float = 0.0, cause: Any = "timeout") -> Sample:
    failure = Failure(cause=cause, detail="too late")
    return Sample(prompt=0, due=due, timing=Timing(sent=0.0, done=9.0), failure=failure)


def block(samples: Sequence[Sample], arm: Arm = "candidate", **more: Any) -> Block:
    given = {
        "load": SINGLE, "round": 0, "place": 0, "arm": arm, "began": 0.0, "seconds": 1.0,
        "samples": tuple(samples), "client": WELL, **more,
    }  # fmt: skip
    return Block(**given)


def bounds(estimate: float | None, low: float | None, high: float | None) -> Bounded:
    return Bounded(estimate=estimate, low=low, high=high)


def metric(ratio: Bounded, control: Bounded | None = None, **more: Any) -> LatencyMetric:
    given = {
        "metric": "ttft_p95",
        "candidate": bounds(0.22, 0.2, 0.24),
        "baseline": bounds(0.2, 0.19, 0.21),
        "ratio": ratio,
        "control": control or bounds(1.0, 0.98, 1.02),
        "n": 1000,
        "needed": 1000,
        **more,
    }
    return LatencyMetric(**given)
