"""Fingerprint: what base and adapter say to the probes, held against what they once said.

Names cannot tell one adapter from another that was loaded in its place; answers can.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.config import Project
from harness.errors import AdapterNotApplied
from harness.files import digest_json
from harness.records.asks import Ask
from harness.records.plan import Plan
from harness.records.run import AdapterProof, Probe
from harness.storage import runs_of
from harness.targets.probes import NOISE_FACTOR, Gap, Logprobs, gap_between

# Another batch, another machine: the same weights may differ by this many nats and be the same.
DRIFT = 0.1
# Fewer nats are no difference at all, whatever the noise says.
RESOLUTION = 1e-5


def fingerprint(
    prompts: Sequence[Ask], base: Sequence[Logprobs], adapter: Sequence[Logprobs]
) -> tuple[Probe, ...]:
    """One probe a prompt."""
    return tuple(
        Probe(
            prompt=digest_json([message.model_dump() for message in ask.messages]),
            base=tuple(ours),
            adapter=tuple(theirs),
        )
        for ask, ours, theirs in zip(prompts, base, adapter, strict=True)
    )


@dataclass(frozen=True, slots=True)
class Proven:
    """When a run was begun, and the proof of its adapter."""

    created: str
    adapter_proof: AdapterProof


def proven(project: Project, plan: Plan, freshness: int) -> list[Proven]:
    """The runs whose answers stand beside the plan's and whose proof has a fingerprint.

    All of them count: they need not share a prompt with each other.
    """
    return [
        Proven(header.created, header.adapter_proof)
        for _, header in reversed(runs_of(project.runs, plan.target))
        if header.identity == plan.identity
        and header.freshness == freshness
        and header.adapter_proof is not None
        and header.adapter_proof.fingerprint
    ]


def check_unchanged(now: AdapterProof, then: AdapterProof, since: str) -> None:
    """Return if base and adapter answer the probes that both proofs share as they did.

    The base is held to `DRIFT`. What it did drift is then the noise that the adapter is held to.
    Half of the probes decide.

    Raises:
        AdapterNotApplied: another base or another adapter answers, or the two changed places.
    """
    known = {probe.prompt: probe for probe in then.fingerprint}
    pairs = [(probe, known[probe.prompt]) for probe in now.fingerprint if probe.prompt in known]
    if not pairs:
        return
    if _changed_places(pairs):
        raise _changed(f"`{now.model}` and its base `{now.parent}` changed places", since)
    noise = max(now.noise, then.noise)
    drifts = [gap_between(probe.base, old.base) for probe, old in pairs]
    moved = sum(_beyond(drift, max(DRIFT, NOISE_FACTOR * noise)) for drift in drifts)
    if 2 * moved >= len(pairs):
        raise _changed(f"another model answers as `{now.parent}`, the base of `{now.model}`", since)
    steady = [drift.nats for drift in drifts if not drift.forked]
    threshold = max(RESOLUTION, NOISE_FACTOR * max(noise, *steady, 0.0))
    moved = sum(_beyond(gap_between(probe.adapter, old.adapter), threshold) for probe, old in pairs)
    if 2 * moved >= len(pairs):
        raise _changed(f"another adapter answers as `{now.model}`", since)


def _beyond(gap: Gap, threshold: float) -> bool:
    return gap.forked or gap.nats > threshold


def _changed_places(pairs: Sequence[tuple[Probe, Probe]]) -> bool:
    """Whether each now answers most probes much more as the other did than as itself did."""
    crossed = sum(
        _nearer(probe.base, old.adapter, old.base) and _nearer(probe.adapter, old.base, old.adapter)
        for probe, old in pairs
    )
    return 2 * crossed > len(pairs)


def _nearer(said: Logprobs, other: Logprobs, own: Logprobs) -> bool:
    there, here = gap_between(said, other), gap_between(said, own)
    return (there.forked, there.nats) < (here.forked, here.nats / 2)


def _changed(what: str, since: str) -> AdapterNotApplied:
    return AdapterNotApplied(
        f"since the run begun {since} {what}",
        hint="serve what was served then, or ask everything again with --no-cache",
    )
