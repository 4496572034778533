"""Looks: how often one candidate was asked afresh and judged, until a verdict pleased."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from harness.errors import PromotionRefused
from harness.records.history import PastGate
from harness.records.rule import Policy
from harness.records.verdict import EvidenceWarning


def earlier_looks(gates: Iterable[PastGate], now: PastGate) -> tuple[PastGate, ...]:
    """The last gate of each earlier look at the candidate of `now`, the oldest first.

    A look is a gate of the same candidate, by whatever name, on the same suites, in whichever
    version of them, for which it or its baseline was asked afresh, or their latency was measured
    afresh. Gates that judged the answers of one asking again, or got the same texts, by the same
    measurement, are one look. Against another baseline only the candidate's own answers count.
    """
    return distinct_looks(
        gate
        for gate in gates
        if gate.promotion is None and _same_question(gate, now) and not _one_look(gate, now)
    )


def distinct_looks(gates: Iterable[PastGate]) -> tuple[PastGate, ...]:
    """The last gate of each look, in the order of the looks, whoever was looked at.

    Promotions, and gates that do not say when the answers were asked for, are no looks.
    """
    found: list[PastGate] = []
    for gate in gates:
        if gate.promotion is not None or gate.asked is None:
            continue
        same = (_same_candidate(gate, one) and _one_look(gate, one) for one in found)
        known = next((place for place, one in enumerate(same) if one), None)
        if known is None:
            found.append(gate)
        else:
            found[known] = gate
    return tuple(found)


def candidate_of(gate: PastGate) -> str:
    """The digest of a gate's candidate, by whatever name and address it goes where that is known.

    Empty where the gate does not say whose answers it judged.
    """
    return "" if gate.asked is None else gate.asked.model or gate.asked.identity


def look_warning(earlier: Sequence[PastGate], now: PastGate) -> Iterator[EvidenceWarning]:
    """Which look this is, where it is not the first, and what the others said."""
    if not earlier:
        return
    number, verdict = len(earlier) + 1, now.verdict
    chance = min(1.0, number * verdict.alpha)
    what = "answers" if now.latency is None else "answers or times"
    yield EvidenceWarning(
        code="looks",
        place=verdict.candidate,
        what=(
            f"look {number} at this candidate with fresh {what}; before: {outcomes(earlier)}. "
            f"At the limit of a rule a candidate passes in one of {number} looks with a chance "
            f"of up to {100 * chance:.0f} %"
        ),
    )


def outcomes(gates: Sequence[PastGate]) -> str:
    """How many gates gave which verdict: `29 INCONCLUSIVE, 1 BLOCK`."""
    counts = Counter(gate.verdict.verdict for gate in gates)
    return ", ".join(f"{count} {verdict}" for verdict, count in counts.most_common())


def check_looks(earlier: Sequence[PastGate], policy: Policy, despite: str) -> None:
    """Nothing, where the policy allows so many looks or somebody says why there were more.

    Raises:
        PromotionRefused: there were more, and no reason is given.
    """
    number = len(earlier) + 1
    if number > policy.max_looks and not despite:
        raise PromotionRefused(
            f"the verdict is that of look {number} at this candidate, `max_looks` is "
            f"{policy.max_looks}; before: {outcomes(earlier)}",
            hint="add cases or repeats instead of looking again; --despite-looks REASON "
            "promotes all the same and keeps the reason in the seal",
        )


def _same_question(one: PastGate, other: PastGate) -> bool:
    return one.suites.keys() == other.suites.keys() and _same_candidate(one, other)


def _same_candidate(one: PastGate, other: PastGate) -> bool:
    if one.asked is None or other.asked is None:
        return False
    if one.asked.model is not None and other.asked.model is not None:
        return one.asked.model == other.asked.model
    return one.asked.identity == other.asked.identity


def _one_look(one: PastGate, other: PastGate) -> bool:
    """Whether both judged the answers of one asking, or answers that are the same.

    Those of two measurements of latency are two, whatever the answers are.
    """
    assert one.asked is not None
    assert other.asked is not None
    if None not in (one.latency, other.latency) and one.latency != other.latency:
        return False
    ours, theirs = one.verdict.hashes, other.verdict.hashes
    same = one.asked.candidate.is_that_of(other.asked.candidate)
    candidates = same or ours.candidate == theirs.candidate
    if one.verdict.baseline != other.verdict.baseline:
        return candidates
    return candidates and (
        one.asked.baseline.is_that_of(other.asked.baseline) or ours.baseline == theirs.baseline
    )
