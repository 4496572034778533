"""Quantities: what a block's requests say about each kind of time, in seconds."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import numpy.typing as npt

from harness.records.attempt import Timing
from harness.records.latency import Block, Sample, Slo

Array = npt.NDArray[np.float64]

# The metrics of every report; a rule may ask for another percentile of the same kinds.
REPORTED = (
    "ttft_p50", "ttft_p90", "ttft_p95", "ttft_p99", "service_ttft_p50", "service_ttft_p95",
    "itl_p50", "itl_p99", "tpot_p50", "tpot_p95", "e2e_p50", "e2e_p95",
)  # fmt: skip
# And of one where answers begin with thinking, without which they say what TTFT says.
REPORTED_OF_THINKING = ("tta_p50", "tta_p95")


def split(metric: str) -> tuple[str, float]:
    """The kind of time and the share of a metric such as `ttft_p95`."""
    kind, _, percent = metric.rpartition("_p")
    return kind, int(percent) / 100.0


def counted(block: Block) -> list[Sample]:
    """The block's requests that count."""
    return [sample for sample in block.samples if not sample.uncounted]


def answered(sample: Sample) -> bool:
    """Whether an answer came that has a first token."""
    return sample.failure is None and sample.timing is not None and bool(sample.timing.chunks)


def think(blocks: Iterable[Block]) -> bool:
    """Whether any answer began with thinking."""
    return any(
        sample.timing is not None and sample.timing.thinks
        for block in blocks
        for sample in counted(block)
    )


def values(block: Block, kind: str) -> Array:
    """The block's values of that kind; a request that failed or said nothing takes for ever.

    So does an answer that is all thinking, up to its first token (`tta`).

    A gap between two chunks (`itl`) is one, however many tokens the second brings.

    Raises:
        ValueError: `tpot` of an answer whose tokens the server did not count.
    """
    of = _KINDS[kind]
    found: list[float] = []
    for sample in counted(block):
        timing = sample.timing if answered(sample) else None
        found += [math.inf] if timing is None else of(sample, timing)
    return np.array(found, dtype=np.float64)


def percentile_of(found: Array, share: float) -> float:
    """The smallest value that as large a share of all does not exceed; infinity is a value."""
    if not found.size:
        return math.inf
    return float(np.sort(found)[max(0, math.ceil(share * found.size) - 1)])


def _tpot(sample: Sample, timing: Timing) -> list[float]:
    """The time from the first chunk to the last, for each token after the first chunk's.

    Where the server does not count by the chunk, all chunks are taken to bring equally many.
    """
    chunks, first = timing.chunks, sample.first_tokens
    if sample.tokens is None:
        raise ValueError("the server counts no tokens")
    if len(chunks) < 2:
        return []
    after = sample.tokens * (1.0 - 1.0 / len(chunks)) if first is None else sample.tokens - first
    return [(chunks[-1] - chunks[0]) / after] if after > 0 else []


# The values of each kind in an answer with a first token.
_KINDS: dict[str, Callable[[Sample, Timing], list[float]]] = {
    "ttft": lambda _, timing: [timing.chunks[0]],
    "tta": lambda _, timing: [math.inf if timing.tta is None else timing.tta],
    "service_ttft": lambda _, timing: [max(0.0, timing.chunks[0] - timing.sent)],
    "itl": lambda _, timing: np.diff(timing.chunks).tolist(),
    "tpot": _tpot,
    "e2e": lambda _, timing: [timing.done],
}


def good(block: Block, slo: Slo) -> Array:
    """1 for each counted request that kept to the objective, 0 for each other one."""
    return np.array([float(_keeps(sample, slo)) for sample in counted(block)])


def failed(block: Block) -> Array:
    """1 for each counted request that failed or said nothing, 0 for each other one."""
    return np.array([float(not answered(sample)) for sample in counted(block)])


def _keeps(sample: Sample, slo: Slo) -> bool:
    timing = sample.timing if answered(sample) else None
    return (
        timing is not None
        and (slo.ttft is None or timing.chunks[0] <= slo.ttft)
        and (slo.tta is None or (timing.tta is not None and timing.tta <= slo.tta))
        and (slo.e2e is None or timing.done <= slo.e2e)
    )


def rates(blocks: Sequence[Block]) -> tuple[float, float | None]:
    """Answers and output tokens a second, from the first counted request to the last one's end.

    Tokens are None where an answer's were not counted by the server.
    """
    seconds, answers, tokens, known = 0.0, 0, 0, True
    for block in blocks:
        samples = [sample for sample in counted(block) if sample.timing is not None]
        if not samples:
            continue
        ends = [sample.due + sample.timing.done for sample in samples if sample.timing is not None]
        seconds += max(ends) - min(sample.due for sample in samples)
        whole = [sample for sample in samples if answered(sample)]
        answers += len(whole)
        known = known and all(sample.tokens is not None for sample in whole)
        tokens += sum(sample.tokens or 0 for sample in whole)
    if seconds <= 0.0:
        return 0.0, None
    return answers / seconds, tokens / seconds if known else None
