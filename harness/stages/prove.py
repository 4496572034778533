"""Prove: show that the server answers with the adapter applied, before anything is scored."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from harness.client.models import ServerDescription
from harness.client.protocol import Answer, ChatClient, ChatRequest
from harness.errors import AdapterNotApplied, ServerError
from harness.records.asks import Ask
from harness.records.plan import Plan
from harness.records.run import AdapterProof

PROBES = 8
PROBE_TOKENS = 8
# Below this many nats two log-probabilities are taken for equal, whatever the noise says.
RESOLUTION = 1e-5
NOISE_FACTOR = 4.0

Logprobs = tuple[tuple[str, float], ...]


async def prove(client: ChatClient, server: ServerDescription, planned: Plan) -> AdapterProof:
    """The proof that the plan's model, an adapter, is applied on the server.

    Each probe, a prompt of the plan, goes to the base twice and to the adapter once; what differs
    between the two askings of the base is noise. Only log-probabilities of generated tokens are
    asked for: prompt log-probabilities break LoRA servers.

    Raises:
        AdapterNotApplied: the server does not list the adapter under a base that it lists, or
            answers most probes as the base does.
        ServerError: a probe failed, or brought no log-probabilities.
    """
    adapter = planned.identity.model
    entry = server.model(adapter)
    base = entry.parent if entry is not None else None
    if base is None or server.model(base) is None:
        listed = ", ".join(f"`{model.id}`" for model in server.models)
        raise AdapterNotApplied(
            f"the server does not list `{adapter}` as an adapter of a base (it lists {listed})",
            hint="the server's log says why it was dropped",
        )
    prompts = _spread(planned.asks)
    first = await _answers(client, base, prompts)
    again = await _answers(client, base, prompts)
    adapted = await _answers(client, adapter, prompts)
    twice = [_gap(one, two) for one, two in zip(first, again, strict=True)]
    moved = [_gap(one, two) for one, two in zip(first, adapted, strict=True)]
    usable = [gap for gap, base_gap in zip(moved, twice, strict=True) if not base_gap.forked]
    forked = len(prompts) - len(usable)
    if 3 * forked > len(usable):
        raise AdapterNotApplied(
            f"`{base}` contradicts itself on {forked} of {len(prompts)} probes, so nothing can "
            "be proven",
            hint="the server is not deterministic at temperature 0",
        )
    noise = max(gap.nats for gap in twice)
    threshold = max(RESOLUTION, NOISE_FACTOR * noise)
    proof = AdapterProof(
        model=adapter,
        parent=base,
        adapter=planned.identity.adapter or "",
        probes=len(usable),
        forked=forked,
        differing=sum(gap.forked or gap.nats > threshold for gap in usable),
        largest_gap=max(gap.nats for gap in usable),
        noise=noise,
    )
    if not proof.applied:
        raise AdapterNotApplied(
            f"`{adapter}` answers {proof.probes - proof.differing} of {proof.probes} probes "
            f"exactly as its base does (largest difference {proof.largest_gap:.2g} nats, "
            f"noise {noise:.2g})",
            hint="the adapter is empty or was not applied; train it again or check its files",
        )
    return proof


def _spread(asks: Sequence[Ask]) -> list[Ask]:
    step = max(1, len(asks) // PROBES)
    return list(asks[::step][:PROBES])


async def _answers(client: ChatClient, model: str, probes: Sequence[Ask]) -> list[Logprobs]:
    return list(await asyncio.gather(*(_answer(client, model, probe) for probe in probes)))


async def _answer(client: ChatClient, model: str, probe: Ask) -> Logprobs:
    reply = await client.ask(
        ChatRequest(model=model, messages=probe.messages, max_tokens=PROBE_TOKENS, logprobs=True)
    )
    if not isinstance(reply, Answer):
        raise ServerError(f"a probe of `{model}` failed: {reply.failure.detail}")
    if not reply.token_logprobs:
        raise ServerError(
            f"`{model}` gave no log-probabilities for a probe",
            hint="the adapter cannot be proven without them",
        )
    return reply.token_logprobs


@dataclass(frozen=True, slots=True)
class _Gap:
    """How far two answers are apart: in nats while their tokens agree, and whether they fork.

    After a fork the two are different texts, so their log-probabilities are no longer compared.
    """

    nats: float
    forked: bool


def _gap(one: Logprobs, two: Logprobs) -> _Gap:
    largest = 0.0
    for (token, logprob), (other, other_logprob) in zip(one, two, strict=False):
        if token != other:
            return _Gap(largest, forked=True)
        largest = max(largest, abs(logprob - other_logprob))
    return _Gap(largest, forked=len(one) != len(two))
