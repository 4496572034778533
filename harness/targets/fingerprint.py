"""Whether base and adapter answer as they did when an earlier proof was made."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from harness.errors import AdapterNotApplied
from harness.records.run import AdapterProof, Probe
from harness.targets.probes import TOLERANCES, Logprobs, gap_between, mean_gap

# Times that the mean difference of the adapter from itself is no sign of another one. It may be
# low: of each probe the nearest of up to four pairs counts, which is most often below the mean.
OWN_NOISE = 1.25


def check_unchanged(now: AdapterProof, then: AdapterProof, since: str) -> None:
    """Return if base and adapter answer the probes that both proofs share as they did.

    Each was put to them together with others and alone. Of a probe the two answers count that are
    nearest to each other, one of each proof: rounding in another batch moves a few of them,
    another adapter all. Half of the probes decide, held against the mean of what each model was
    seen to differ by from itself, and of what the base differs by, as on other hardware.

    Raises:
        AdapterNotApplied: another base or another adapter answers, or the two changed places.
    """
    known = {probe.prompt: probe for probe in then.fingerprint}
    pairs = [(probe, known[probe.prompt]) for probe in now.fingerprint if probe.prompt in known]
    if not pairs:
        return
    if _changed_places(pairs):
        raise _changed(f"`{now.model}` and its base `{now.parent}` changed places", since)
    noise = max(map(_base_noise, (now, then)))
    drifts = [_nearest(_base(probe), _base(old)) for probe, old in pairs]
    threshold = TOLERANCES.threshold(TOLERANCES.rebatched, noise)
    if _most(drifts, threshold):
        raise _changed(f"another model answers as `{now.parent}`, the base of `{now.model}`", since)
    noise = max(noise, mean_gap(drift for drift in drifts if drift <= threshold))
    own = OWN_NOISE * max(map(_adapter_noise, (now, then)))
    threshold = TOLERANCES.threshold(max(TOLERANCES.repeated, own), noise)
    if _most([_nearest(_adapter(probe), _adapter(old)) for probe, old in pairs], threshold):
        raise _changed(f"another adapter answers as `{now.model}`", since)


def _base(probe: Probe) -> list[Logprobs]:
    return [probe.base, *([] if probe.base_again is None else [probe.base_again])]


def _adapter(probe: Probe) -> list[Logprobs]:
    return [probe.adapter, *([] if probe.adapter_again is None else [probe.adapter_again])]


def _nearest(now: Sequence[Logprobs], then: Sequence[Logprobs]) -> float:
    return min(gap_between(one, other) for one in now for other in then)


def _most(drifts: Sequence[float], threshold: float) -> bool:
    return 2 * sum(drift > threshold for drift in drifts) >= len(drifts)


def _base_noise(proof: AdapterProof) -> float:
    """What the base differs by from itself; proofs of earlier versions tell the largest alone."""
    gaps = _own_gaps(map(_base, proof.fingerprint))
    return mean_gap(gaps) if gaps else proof.noise


def _adapter_noise(proof: AdapterProof) -> float:
    return mean_gap(_own_gaps(map(_adapter, proof.fingerprint)))


def _own_gaps(answers: Iterable[Sequence[Logprobs]]) -> list[float]:
    return [gap_between(*both) for both in answers if len(both) > 1]


def _changed_places(pairs: Sequence[tuple[Probe, Probe]]) -> bool:
    """Whether each answers most probes more like the other's earlier answers than its own."""
    crossed = sum(
        _nearer(probe.base, old.adapter, old.base) and _nearer(probe.adapter, old.base, old.adapter)
        for probe, old in pairs
    )
    return 2 * crossed > len(pairs)


def _nearer(answer: Logprobs, other: Logprobs, own: Logprobs) -> bool:
    return gap_between(answer, other) < gap_between(answer, own) / 2


def _changed(what: str, since: str) -> AdapterNotApplied:
    return AdapterNotApplied(
        f"since the run begun {since} {what}",
        hint="serve what was served then, or ask everything again with --no-cache",
    )
