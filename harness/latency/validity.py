"""Validity: every reason not to believe a measurement, each with its numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from harness.latency import quantities
from harness.latency.lateness import (
    BUSY,
    LATE,
    LATE_SHARE,
    RUINED,
    allowed,
    client_problems,
    was_late,
)
from harness.latency.quantities import Array
from harness.records.latency import ARMS, Arm, Block, Measurement, Sample
from harness.records.load import Load

# So unlikely by chance that it is none: the level of every test on the evidence itself.
CHANCE = 0.001
ERRORS_APART = 0.01
CACHE_APART = 0.05
GROWTH = 1.5
DRIFT = 1.5
TOKENS_APART = 0.02
# Less than any margin that anybody asks for.
SELF_APART = 1.02
FEWEST_ROUNDS = 5

Rounds = Sequence[dict[Arm, Block]]


def problems(measurement: Measurement, load: Load, rounds: Rounds) -> Iterator[str]:
    """Why the load's numbers cannot be believed, nothing where they can."""
    if not rounds:
        yield f"{load}: no round was measured whole"
        return
    planned = measurement.settings.rounds
    if measurement.finished and len(rounds) < measurement.stopped.get(str(load), planned):
        yield f"{load}: {len(rounds)} of {planned} rounds were measured"
    medians = {arm: _medians(rounds, arm) for arm in ARMS}
    found = (
        *_no_answers(rounds),
        *_client(rounds),
        *_server(rounds, measurement.settings.max_tokens),
        *_errors(rounds),
        *_unsteady(load, rounds),
        *_drift([float(np.mean(pair)) for pair in zip(medians["baseline"], medians["control"],
                                                      strict=True)]),
        *_noise(rounds),
    )  # fmt: skip
    for problem in found:
        yield f"{load}: {problem}"


def notes(measurement: Measurement, rounds: Rounds) -> Iterator[str]:
    """What a reader should know, and what speaks against nothing."""
    if not rounds:
        return
    samples = [one for turn in rounds for block in turn.values() for one in block.samples]
    counts = {sample.tokens for sample in samples if quantities.answered(sample)}
    if None in counts:
        yield "the server counts no tokens: there is no TPOT and no rate of tokens"
    if measurement.settings.length == "fixed":
        if not measurement.fixed:
            cannot = "the server cannot" if measurement.servers is None else "not both servers can"
            yield f"{cannot} be told how long answers are: they have their natural length"
        elif counts - {None, measurement.settings.max_tokens}:
            yield "not every answer is as long as it was told to be"
    yield from _thinking(samples)
    if not measurement.salted:
        yield "each block's prompts were put to the server before it, so that all are cached alike"
    yield from _silence(measurement, rounds)


def _silence(measurement: Measurement, rounds: Rounds) -> Iterator[str]:
    """Servers that tell nothing of what they did."""
    silent = [
        arm for arm in ARMS if all(turn[arm].server.generation_tokens is None for turn in rounds)
    ]
    if len(silent) == len(ARMS):
        yield "the server has no metrics: what else it did during this measurement is not known"
    elif silent and measurement.servers is not None:
        yield (
            f"the {silent[0]}'s server has no metrics: what else it did during this measurement "
            "is not known"
        )


def _thinking(samples: Sequence[Sample]) -> Iterator[str]:
    """Answers of which nothing came but thinking, which TTA counts as never begun."""
    whole = [sample for sample in samples if quantities.answered(sample) and not sample.uncounted]
    lost = sum(sample.timing is not None and sample.timing.tta is None for sample in whole)
    if lost:
        yield (
            f"{100 * lost / len(whole):.0f} % of the answers are all thinking, so that TTA is "
            "infinite for them: raise latency.max_tokens, or set a thinking_token_budget"
        )


def _medians(rounds: Rounds, arm: Arm) -> list[float]:
    return [_median(quantities.values(turn[arm], "ttft")) for turn in rounds]


def _median(found: Array) -> float:
    """The median, infinite where half of the requests failed."""
    return quantities.percentile_of(found, 0.5)


def late_with_one_arm(whole: Rounds, limit: float) -> Iterator[str]:
    """Where the client was late mostly while one arm was asked: that arm may have made it so.

    To measure such rounds again would leave out what the arm does to its machine.
    """
    counts = {arm: sum(was_late(turn[arm], limit) for turn in whole) for arm in ARMS}
    for arm in ("candidate", "baseline"):
        others = [counts[other] for other in ARMS if other != arm]
        rest = len(others) * len(whole) - sum(others)
        table = [[counts[arm], len(whole) - counts[arm]], [sum(others), rest]]
        if counts[arm] * len(others) <= sum(others):
            continue
        from scipy.stats import fisher_exact  # takes half a second, and few come here

        if float(fisher_exact(np.array(table), alternative="greater")[1]) < CHANCE:
            yield (
                f"the client was late in {counts[arm]} of the {arm}'s {len(whole)} blocks and in "
                f"{sum(others)} of the others' {len(others) * len(whole)}: it may be the {arm} "
                "that keeps the machine busy - put the client on a machine of its own"
            )


def _no_answers(rounds: Rounds) -> Iterator[str]:
    for arm in ARMS:
        shares = np.concatenate([quantities.failed(turn[arm]) for turn in rounds])
        if float(np.mean(shares)) > 0.5:
            yield f"{100 * float(np.mean(shares)):.0f} % of the {arm}'s requests failed"


def lateness(rounds: Rounds) -> tuple[float, tuple[str, ...]]:
    """By how many seconds the client may be late, and where it was later."""
    if not rounds:
        return LATE, ()
    limit = allowed(float(np.median(_medians(rounds, "baseline"))))
    return limit, tuple(client_problems(rounds, limit))


def _client(rounds: Rounds) -> Iterator[str]:
    """Where the client was at its limit, or stood still: nobody knows what that did to times."""
    for arm in ARMS:
        blocks = [turn[arm] for turn in rounds]
        busy = [block.client.cpu for block in blocks if block.client.cpu > BUSY]
        if len(busy) > RUINED * len(blocks):
            yield (
                f"the client was at its limit in {len(busy)} of the {arm}'s {len(blocks)} blocks: "
                f"it used up to {100 * max(busy):.0f} % of a processor"
            )
        stopped = sum(block.client.gc_total for block in blocks)
        if stopped > LATE_SHARE * sum(block.seconds for block in blocks):
            yield f"the client's memory was being tidied for {stopped:.1f} s of the {arm}'s blocks"


def _server(rounds: Rounds, max_tokens: int) -> Iterator[str]:
    blocks = [block for turn in rounds for block in turn.values()]
    compiled = [line for block in blocks for line in block.server.compiled]
    if compiled:
        yield f"the server was still compiling: `{compiled[0][:120]}`"
    yield from _caches(rounds)
    told = [block.server.generation_tokens for block in blocks]
    ours = [sum(sample.tokens or 0 for sample in block.samples) for block in blocks]
    known = [(one, own) for one, own in zip(told, ours, strict=True) if one is not None]
    generated, own = sum(one for one, _ in known), sum(own for _, own in known)
    # A request that failed here may have been answered there.
    failed = sum(not quantities.answered(one) for block in blocks for one in block.samples)
    if own and abs(generated - own) > TOKENS_APART * own + failed * max_tokens:
        yield f"the server generated {generated} tokens, {own} of them here: others asked it too"


def _caches(rounds: Rounds) -> Iterator[str]:
    """Where the prefix cache helped arms unequally that put the same prompts."""
    hits, prompts = {}, {}
    for arm in ARMS:
        told = [turn[arm].server.cache_hit_share for turn in rounds]
        shares = [share for share in told if share is not None]
        if len(shares) < len(told):
            return
        hits[arm] = float(np.mean(shares))
        samples = [one for turn in rounds for one in turn[arm].samples]
        prompts[arm] = sum(one.prompt_tokens or 0 for one in samples)
    alike = [arm for arm in ARMS if prompts[arm] == prompts["baseline"]]
    told_apart = [hits[arm] for arm in alike]
    if max(told_apart) - min(told_apart) > CACHE_APART:
        words = ", ".join(f"{arm} {100 * hits[arm]:.0f} %" for arm in alike)
        yield f"the prefix cache helped the arms unequally: {words}"


def _errors(rounds: Rounds) -> Iterator[str]:
    """Failures so unequal that the arms were not under the same load."""
    counts = {}
    for arm in ARMS:
        found = np.concatenate([quantities.failed(turn[arm]) for turn in rounds])
        counts[arm] = (int(found.sum()), int(found.size))
    for arm in ("candidate", "control"):
        (one, n), (other, m) = counts[arm], counts["baseline"]
        if abs(one / n - other / m) <= ERRORS_APART:
            continue
        from scipy.stats import fisher_exact  # takes half a second, and few come here

        if float(fisher_exact(np.array([[one, n - one], [other, m - other]]))[1]) < CHANCE:
            yield (
                f"requests failed unequally: {one} of {n} of the {arm}'s, "
                f"{other} of {m} of the baseline's"
            )


def _unsteady(load: Load, rounds: Rounds) -> Iterator[str]:
    """Where requests wait longer and longer within blocks: the server cannot carry the load."""
    for arm in ARMS:
        growth = []
        for turn in rounds:
            found = quantities.values(turn[arm], "ttft")
            third = found.size // 3
            if third < 3:
                return
            early, late = _median(found[:third]), _median(found[-third:])
            growth.append(late / early if math.isfinite(late) and early > 0.0 else math.inf)
        if float(np.median(growth)) > GROWTH:
            times = float(np.median(growth))
            words = f"{times:.1f} times" if math.isfinite(times) else "without end"
            yield (
                f"no steady state: the {arm}'s TTFT grows {words} within its blocks, so the "
                f"server cannot carry {load} - ask for a lower rate"
            )


def _drift(medians: Sequence[float]) -> Iterator[str]:
    """Where the baseline's own TTFT moved so far over the rounds that no average means anything."""
    third = len(medians) // 3
    if third < 3 or not all(map(math.isfinite, medians)):
        return
    early, late = float(np.median(medians[:third])), float(np.median(medians[-third:]))
    ratio = late / early if early > 0.0 else math.inf
    if max(ratio, 1.0 / ratio) > DRIFT:
        yield f"the server drifted: the baseline's TTFT went from {_ms(early)} to {_ms(late)}"


def _noise(rounds: Rounds) -> Iterator[str]:
    """Where the baseline asked twice has two speeds: the order or the place in a round matters.

    By Student's test of the rounds' ratios of medians; draws of so few rounds could not be as sure.
    """
    pairs = zip(_medians(rounds, "control"), _medians(rounds, "baseline"), strict=True)
    logs = [
        math.log(one / other)
        for one, other in pairs
        if math.isfinite(one) and math.isfinite(other) and one > 0.0 < other
    ]
    if len(logs) < FEWEST_ROUNDS or np.ptp(logs) == 0.0:
        return
    ratio = math.exp(float(np.mean(logs)))
    if max(ratio, 1.0 / ratio) <= SELF_APART:
        return
    from scipy.stats import ttest_1samp

    if float(ttest_1samp(logs, 0.0).pvalue) < CHANCE:
        yield f"the baseline differs from itself: its TTFT asked twice has the ratio {ratio:.3f}"


def _ms(seconds: float) -> str:
    return f"{1000.0 * seconds:.1f} ms"
