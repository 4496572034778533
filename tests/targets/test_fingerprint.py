"""Proofs of the same adapter agree, whatever batch it was asked in; those of another do not."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from harness.client.protocol import Answer, ChatRequest, Reply
from harness.errors import AdapterNotApplied
from harness.records.run import AdapterProof
from harness.targets.adapter_proof import prove
from harness.targets.fingerprint import OWN_NOISE, check_unchanged
from tests.builders import proof
from tests.targets.test_adapter_proof import BASE, TUNED, Logprobs, Server, listed, proven, tuned

OTHER: Logprobs = (("a", -0.7), ("c", -0.3))
WEAK: Logprobs = (("a", -0.501), ("b", -0.25))


def moved(said: Logprobs, nats: float) -> Logprobs:
    return tuple((token, value + nats) for token, value in said)


@pytest.mark.parametrize(
    ("then", "now"),
    [
        (proven(), proven()),
        # Other hardware moves base and adapter alike.
        (proven(), proven(moved(BASE, 0.02), moved(TUNED, 0.05))),
        (proven(adapter=WEAK), proven(moved(BASE, 0.01), moved(WEAK, -0.01))),
        (proven(noise=0.03), proven(BASE, moved(TUNED, 0.1))),
        (proven(adapter=WEAK), proven(adapter=moved(WEAK, 4e-6))),
        # Nothing in common, nothing to compare.
        (proof(), proven()),
    ],
)
def test_what_is_still_the_same(then: AdapterProof, now: AdapterProof) -> None:
    check_unchanged(now, then, "2026-01-01")


@pytest.mark.parametrize(
    ("then", "now", "words"),
    [
        (proven(), proven(adapter=OTHER), "another adapter answers as `m`"),
        (proven(), proven(adapter=BASE), "another adapter answers as `m`"),
        (proven(adapter=WEAK), proven(adapter=moved(WEAK, 1e-4)), "another adapter"),
        (proven(), proven(base=OTHER), "another model answers as `b`, the base of `m`"),
        (proven(), proven(OTHER, OTHER), "another model answers as `b`"),
        (proven(), proven(TUNED, BASE), "`m` and its base `b` changed places"),
        (proven(adapter=WEAK), proven(WEAK, BASE), "`m` and its base `b` changed places"),
    ],
)
def test_what_is_not(then: AdapterProof, now: AdapterProof, words: str) -> None:
    with pytest.raises(AdapterNotApplied, match=words) as caught:
        check_unchanged(now, then, "2026-01-01")
    assert caught.value.exit_code == 3


async def test_what_rounding_in_another_batch_moves_is_noise_and_no_other_adapter(
    tmp_path: Path,
) -> None:
    """The adapter alone is moved, as of weights in bfloat16."""

    class Rounding(Server):
        def __init__(self, drift: float) -> None:
            super().__init__([BASE], TUNED)
            self.drift, self.under_way = drift, 0

        async def ask(self, request: ChatRequest, *, intended: float | None = None) -> Reply:
            self.under_way += 1
            await asyncio.sleep(0)
            alone, reply = self.under_way == 1, await super().ask(request, intended=intended)
            self.under_way -= 1
            assert isinstance(reply, Answer)
            if request.model != "tuned" or alone:
                return reply
            return replace(reply, token_logprobs=moved(TUNED, self.drift))

    planned = tuned(tmp_path)
    then = await prove(Rounding(0.03), listed(), planned)
    assert then.noise == pytest.approx(0.03)
    check_unchanged(await prove(Rounding(-0.04), listed(), planned), then, "2026-01-01")
    other = await prove(Server([BASE], OTHER), listed(), planned)
    with pytest.raises(AdapterNotApplied, match="another adapter"):
        check_unchanged(other, then, "2026-01-01")


def test_however_noisy_a_contradiction_is_a_difference() -> None:
    noisy = proven(noise=0.5)
    with pytest.raises(AdapterNotApplied, match="another adapter"):
        check_unchanged(proven(adapter=moved(TUNED, -1.6)), noisy, "2026-01-01")


def test_half_of_the_probes_decide() -> None:
    then, other = proven(), proven(adapter=OTHER)
    few = then.model_copy(update={"fingerprint": other.fingerprint[:3] + then.fingerprint[3:]})
    check_unchanged(few, then, "2026-01-01")
    half = then.model_copy(update={"fingerprint": other.fingerprint[:4] + then.fingerprint[4:]})
    with pytest.raises(AdapterNotApplied):
        check_unchanged(half, then, "2026-01-01")


@pytest.mark.parametrize(("drift", "told"), [(0.9, False), (1.5, True)])
def test_of_two_answers_of_each_proof_the_nearest_count(drift: float, told: bool) -> None:
    """The adapter alone rounds by 0.1; `drift` is in parts of what is allowed."""
    then, now = (
        proven(adapter=moved(TUNED, by)).model_copy(
            update={
                "fingerprint": tuple(
                    probe.model_copy(
                        update={"base_again": BASE, "adapter_again": moved(TUNED, by - 0.1)}
                    )
                    for probe in proven(adapter=moved(TUNED, by)).fingerprint
                )
            }
        )
        for by in (0.0, 0.1 + drift * OWN_NOISE * 0.1)
    )
    if not told:
        check_unchanged(now, then, "2026-01-01")
        return
    with pytest.raises(AdapterNotApplied, match="another adapter"):
        check_unchanged(now, then, "2026-01-01")
