"""A late client: which rounds are measured again, and what its lateness may have done to times."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from harness.latency import quantities
from harness.latency.quantities import Array
from harness.records.latency import ARMS, Arm, Block, Measurement
from harness.records.load import Load

# The client may be late by as much at most: seconds, or a share of the baseline's median TTFT.
LATE = 0.002
LATE_SHARE = 0.05
BUSY = 0.9
# In so many of an arm's blocks a machine may be busy with something else.
RUINED = 0.05
# Of the planned rounds so many more are measured at most, where the client was late.
AGAIN = 0.5
# The share of values of which the 99th percentile of two moments' lag says nothing.
LATER_STILL = 0.02
# What no time that is held against another falls below.
_LEAST = 1e-9

Round = Mapping[Arm, Block]


def allowed(median: float) -> float:
    """By how many seconds the client may be late where the baseline's median TTFT is this."""
    return max(LATE, LATE_SHARE * median) if math.isfinite(median) else LATE


def spoiled(turn: Round, limit: float) -> bool:
    """Whether the client was late or at its limit in any block of a round.

    No time of any arm is looked at, so that choosing rounds by it chooses no times.
    """
    return any(was_late(block, limit) for block in turn.values())


def was_late(block: Block, limit: float) -> bool:
    """Whether the client was late or at its limit in a block."""
    client = block.client
    return client.lag_p99 > limit or sent_late([block]) > limit or client.cpu > BUSY


def extra(planned: int) -> int:
    """How many rounds may be measured again."""
    return int(AGAIN * planned)


def allowed_at(measurement: Measurement, load: Load) -> float:
    """By how many seconds the client may be late in a round that is not measured again."""
    pace = measurement.pace(load)
    return (None if pace is None else pace.late) or LATE


def counted_rounds(
    measurement: Measurement, load: Load, rounds: Sequence[dict[Arm, Block]]
) -> list[dict[Arm, Block]]:
    """The rounds that count: as many as are planned, those first in which the client kept time."""
    planned = measurement.settings.rounds
    if len(rounds) <= planned:
        return list(rounds)
    limit = allowed_at(measurement, load)
    kept = sorted(range(len(rounds)), key=lambda place: (spoiled(rounds[place], limit), place))
    return [rounds[place] for place in sorted(kept[:planned])]


def sent_late(blocks: Sequence[Block]) -> float:
    """How late requests were sent, in seconds: the 99th percentile of those that count."""
    taken = [sample.late for block in blocks for sample in quantities.counted(block)]
    return float(np.quantile(taken, 0.99)) if taken else 0.0


def client_problems(rounds: Sequence[Round], late: float) -> Iterator[str]:
    """Where the client itself was later: an arm seems slower then, or both seem more alike."""
    for arm in ARMS:
        blocks = [turn[arm] for turn in rounds]
        lag = sent_late(blocks)
        if lag > late:
            yield (
                f"the client sent the {arm}'s requests late: by {_ms(lag)} at its p99, "
                f"{_ms(late)} is allowed - ask for less at once, or leave it more processor time"
            )
        behind = [block.client.lag_p99 for block in blocks if block.client.lag_p99 > late]
        if len(behind) > RUINED * len(blocks):
            yield (
                f"the client read late in {len(behind)} of the {arm}'s {len(blocks)} blocks: its "
                f"event loop lagged by up to {_ms(max(behind))}, {_ms(late)} is allowed"
            )


def charged(block: Block, kind: str, limit: float, *, slowest: bool) -> Array:
    """The block's values, were all of the client's lateness against them, or all for them.

    Of a block in which the client was not late they are what was seen. Else every moment may have
    been noted late by the 99th percentile of the event loop's lag, and a request that was sent late
    may have met a server with less to do: all values move by both. One moment in a hundred was
    later still. So where an answer has two, sent and read, one value in fifty may be anything that
    the longest lag allows: the smallest become the largest, or the largest the smallest.
    """
    seen = quantities.values(block, kind)
    if not (block.client.lag_p99 > limit or sent_late([block]) > limit):
        return seen
    moved = block.client.lag_p99 + sent_late([block])
    longest = block.client.lag_longest + max(one.late for one in quantities.counted(block))
    few = math.ceil(LATER_STILL * seen.size)
    ordered = np.sort(seen)
    if slowest:
        worst = np.full(few, ordered[-1] + longest)
        return np.concatenate([ordered[few:] + moved, worst])
    best = np.full(few, max(_LEAST, ordered[0] - longest))
    return np.concatenate([best, np.maximum(ordered[: ordered.size - few] - moved, _LEAST)])


def _ms(seconds: float) -> str:
    return f"{1000.0 * seconds:.1f} ms"
