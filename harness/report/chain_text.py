"""The words of a chain's report, the same on the terminal and on the page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.chain.hop import Hop, MetricResult, Outcome, ProbeResult

METRIC_WORDS: dict[Outcome, str] = {
    "same": "no worse",
    "different": "worse",
    "cannot tell": "cannot tell",
}


def worst_outcome(hops: Sequence[Hop]) -> Outcome:
    """What the whole chain comes to: the same only where every hop is."""
    found = {hop.outcome for hop in hops}
    return (
        "different" if "different" in found else "cannot tell" if "cannot tell" in found else "same"
    )


def chain_conclusion(hops: Sequence[Hop]) -> str:
    """One sentence on the whole chain: where it breaks first, and the likeliest cause."""
    outcome = worst_outcome(hops)
    if outcome == "same":
        return f"the same model at {f'all {len(hops)} hops' if len(hops) > 1 else 'the only hop'}"
    first = next(hop for hop in hops if hop.outcome == outcome)
    place = f"{first.before} → {first.after}"
    if outcome == "different":
        return f"the chain breaks at {place}: likeliest cause {first.cause}"
    return f"cannot tell at {place}: more cases would tell"


def probe_words(found: ProbeResult) -> str:
    """How many probes are answered otherwise."""
    how = "by other texts" if found.allowed is None else "beyond"
    return f"{found.beyond} of {found.probes} {how}"


def nats_words(found: ProbeResult) -> str:
    """How far the answers are apart."""
    if found.median is None:
        return "–"
    return f"{found.median:.2g}, most {found.largest:.2g} ({found.allowed:.2g} allowed)"


def hop_metrics(found: Sequence[MetricResult]) -> str:
    """How many metrics are no worse, worse, or cannot be told."""
    counted = {name: sum(one.outcome == name for one in found) for name in METRIC_WORDS}
    words = (f"{count} {METRIC_WORDS[name]}" for name, count in counted.items() if count)
    return ", ".join(words) or "–"


def metric_numbers(found: MetricResult) -> str:
    """A metric's change with its bounds, or why there is none."""
    if found.estimate is None:
        return found.reason
    return (
        f"{found.before:.3f} → {found.after:.3f}, difference {found.estimate:+.3f} "
        f"[{found.low:+.3f}, {found.high:+.3f}], margin {found.margin:g}"
    )


def hop_details(hop: Hop) -> Iterator[str]:
    """What decided at a hop, and what differs besides, a line each."""
    yield from (f"{one.cause}: {one.evidence}" for one in hop.findings)
    for one in hop.metrics:
        if one.outcome == hop.outcome != "same":
            yield f"{one.metric}: {METRIC_WORDS[one.outcome]}: {metric_numbers(one)}"
    yield from (f"note: {note}" for note in hop.notes)
