"""Analyse: from a measurement's blocks to percentiles, ratios and how sure they are."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from harness import stats
from harness.latency import quantities
from harness.latency.lateness import allowed_at, charged, counted_rounds
from harness.latency.quantities import REPORTED, REPORTED_OF_THINKING, Array
from harness.latency.validity import late_with_one_arm, lateness, notes, problems
from harness.records.latency import (
    ARMS,
    Arm,
    ArmFigures,
    Block,
    BlockMedian,
    Bounded,
    Charged,
    LatencyMetric,
    LatencySection,
    LoadResult,
    Measurement,
)
from harness.records.load import Load

# A look before the end costs its share of alpha, whether it stops anything or not (Bonferroni).
# With less, ten rounds could show nothing at the usual alpha.
LOOKS = (0.5, 0.75)
SPENT_A_LOOK = 0.15
FEWEST_ROUNDS, LEAST_LEVEL = 10, 0.007
ECDF_POINTS = 201

Rounds = Sequence[dict[Arm, Block]]


def analyse(measurement: Measurement, blocks: Sequence[Block]) -> LatencySection:
    """What the measurement found, a function of its records alone."""
    loads = tuple(
        analyse_load(measurement, load, blocks, alpha_of(measurement, load))
        for load in measurement.settings.loads
    )
    return LatencySection(
        measurement=measurement.id,
        settings=measurement.settings,
        servers=measurement.servers,
        alpha=measurement.alpha,
        loads=loads,
        stopped_early=bool(measurement.stopped),
        digest=digest(measurement, blocks),
    )


def alpha_of(measurement: Measurement, load: Load) -> float:
    """The level of a load's bounds: what looking at them before the end has left of alpha."""
    if str(load) in measurement.stopped:
        return measurement.alpha * SPENT_A_LOOK
    return measurement.alpha * (1.0 - SPENT_A_LOOK * len(looks(measurement)))


def looks(measurement: Measurement) -> tuple[int, ...]:
    """After how many rounds of a load it is looked at before its end; none where that is in vain.

    Without rules nothing can be decided, and so few rounds show nothing at so small a level.
    """
    if not measurement.metrics or measurement.alpha * SPENT_A_LOOK < LEAST_LEVEL:
        return ()
    planned = measurement.settings.rounds
    rounds = (round(planned * share) for share in LOOKS)
    return tuple(number for number in rounds if number >= FEWEST_ROUNDS)


def whole_rounds(blocks: Iterable[Block], load: Load) -> Rounds:
    """The rounds of a load in which every arm had its turn, in order."""
    found: dict[int, dict[Arm, Block]] = {}
    for block in blocks:
        if block.load == load:
            found.setdefault(block.round, {})[block.arm] = block
    return [found[number] for number in sorted(found) if len(found[number]) == len(ARMS)]


def analyse_load(
    measurement: Measurement,
    load: Load,
    blocks: Sequence[Block],
    alpha: float,
    only: Sequence[str] | None = None,
) -> LoadResult:
    """What was found at one load with bounds at level alpha, of `only` some metrics if given."""
    whole = whole_rounds(blocks, load)
    rounds = counted_rounds(measurement, load, whole)
    allowed, late = lateness(rounds)
    wanted = _wanted(measurement, rounds) if only is None else only
    pace = measurement.pace(load)
    charge = allowed if late else None
    found = [_metric(name, rounds, alpha, charge) for name in wanted] if rounds else []
    metrics = [metric for metric in found if metric is not None]
    return LoadResult(
        load=load,
        alpha=alpha,
        rate=None if pace is None else pace.rate,
        rounds=len(rounds),
        metrics=tuple(metrics),
        arms=tuple(_figures(measurement, arm, rounds, alpha) for arm in ARMS if rounds),
        medians=tuple(_medians(rounds)),
        ecdf={arm: _ecdf(rounds, arm) for arm in ARMS if rounds},
        problems=(
            *problems(measurement, load, rounds),
            *_one_sided(measurement, load, whole, len(whole) > len(rounds) or bool(late)),
        ),
        notes=(*_client_notes(late, len(whole) - len(rounds)), *notes(measurement, rounds)),
        late=late,
    )


def _wanted(measurement: Measurement, rounds: Rounds) -> Iterable[str]:
    """The metrics of a report, each once."""
    thinking = quantities.think(block for turn in rounds for block in turn.values())
    more = REPORTED_OF_THINKING if thinking else ()
    return dict.fromkeys((*REPORTED, *more, *measurement.metrics))


def _one_sided(
    measurement: Measurement, load: Load, whole: Rounds, looked_at: bool
) -> Iterable[str]:
    """Where lateness that is charged, or measured again, may be the doing of one arm."""
    found = late_with_one_arm(whole, allowed_at(measurement, load)) if looked_at else ()
    return (f"{load}: {problem}" for problem in found)


def _client_notes(late: Sequence[str], again: int) -> Iterable[str]:
    """What a reader should know of the client's lateness."""
    if again:
        turns = "round was" if again == 1 else "rounds were"
        yield f"{again} {turns} measured again: the client was late or at its limit in them"
    yield from (f"{line}; a rule counts where that cannot have changed it" for line in late)


def _metric(name: str, rounds: Rounds, alpha: float, charge: float | None) -> LatencyMetric | None:
    """The metric; where lateness beyond `charge` is charged, with what it may have been."""
    kind, share = quantities.split(name)
    try:
        arrays = {arm: [quantities.values(turn[arm], kind) for turn in rounds] for arm in ARMS}
    except ValueError:
        return None
    if any(not one.size for arm in ARMS for one in arrays[arm]):
        return None
    candidate, baseline, control = (arrays[arm] for arm in ARMS)
    requests = min(sum(len(quantities.counted(turn[arm])) for turn in rounds) for arm in ARMS)
    return LatencyMetric(
        metric=name,
        candidate=bounded(stats.percentile(candidate, share, alpha=alpha)),
        baseline=bounded(stats.percentile(baseline, share, alpha=alpha)),
        ratio=bounded(stats.percentile_ratio(candidate, baseline, share, alpha=alpha)),
        control=bounded(stats.percentile_ratio(control, baseline, share, alpha=alpha)),
        n=requests,
        needed=stats.needed(share),
        fastest=None if charge is None else _charged(rounds, name, alpha, charge, slowest=False),
        slowest=None if charge is None else _charged(rounds, name, alpha, charge, slowest=True),
    )


def _charged(rounds: Rounds, name: str, alpha: float, allowed: float, *, slowest: bool) -> Charged:
    """The percentile and the ratio with all of the client's lateness on one side."""
    kind, share = quantities.split(name)
    ours = [charged(turn["candidate"], kind, allowed, slowest=slowest) for turn in rounds]
    theirs = [charged(turn["baseline"], kind, allowed, slowest=not slowest) for turn in rounds]
    return Charged(
        candidate=bounded(stats.percentile(ours, share, alpha=alpha)),
        ratio=bounded(stats.percentile_ratio(ours, theirs, share, alpha=alpha)),
    )


def bounded(interval: stats.Interval) -> Bounded:
    """The interval as it is kept; what is beyond every bound has no number."""
    estimate, low, high = (
        float(value) if math.isfinite(value) else None
        for value in (interval.estimate, interval.low, interval.high)
    )
    return Bounded(estimate=estimate, low=low, high=high)


def _figures(measurement: Measurement, arm: Arm, rounds: Rounds, alpha: float) -> ArmFigures:
    blocks = [turn[arm] for turn in rounds]
    samples = [sample for block in blocks for sample in quantities.counted(block)]
    whole = [sample for sample in samples if quantities.answered(sample)]
    slo = measurement.settings.slo
    requests, tokens = quantities.rates(blocks)
    known = [sample.tokens for sample in whole if sample.tokens is not None]
    gaps = [float(gap) for block in blocks for gap in quantities.values(block, "itl")]
    failures = Counter(
        sample.failure.cause if sample.failure is not None else "nothing said"
        for sample in samples
        if not quantities.answered(sample)
    )
    return ArmFigures(
        arm=arm,
        requests=len(samples),
        failed=len(samples) - len(whole),
        failures=dict(failures),
        error_rate=_share([quantities.failed(block) for block in blocks], alpha),
        goodput=None if slo is None else _share([quantities.good(b, slo) for b in blocks], alpha),
        requests_per_second=requests,
        tokens_per_second=tokens,
        longest_gap=max((gap for gap in gaps if math.isfinite(gap)), default=None),
        tokens_mean=sum(known) / len(known) if known and len(known) == len(whole) else None,
    )


def _share(found: Sequence[Array], alpha: float) -> Bounded:
    return bounded(stats.pooled_mean(found, alpha=alpha))


def _medians(rounds: Rounds) -> list[BlockMedian]:
    blocks = sorted((block for turn in rounds for block in turn.values()), key=lambda b: b.began)
    return [
        BlockMedian(
            arm=block.arm,
            round=block.round,
            at=max(0.0, block.began - blocks[0].began),
            ttft=_finite(quantities.percentile_of(quantities.values(block, "ttft"), 0.5)),
        )
        for block in blocks
    ]


def _ecdf(rounds: Rounds, arm: Arm) -> tuple[float | None, ...]:
    pooled = np.concatenate([quantities.values(turn[arm], "ttft") for turn in rounds])
    shares = np.linspace(0.0, 1.0, ECDF_POINTS)
    return tuple(_finite(quantities.percentile_of(pooled, share)) for share in shares)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def digest(measurement: Measurement, blocks: Sequence[Block]) -> str:
    """The digest of all that a section is worked out of."""
    apart = {"mac", "sealed", "nonce"}  # they say nothing that the rest does not
    whole = hashlib.sha256(measurement.model_dump_json(exclude=apart).encode())
    for block in blocks:
        whole.update(block.model_dump_json(exclude={"mac"}).encode())
    return f"sha256:{whole.hexdigest()}"
