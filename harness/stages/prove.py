"""Prove: show that the server answers with the adapter applied, before anything is scored."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from harness.client.models import ServerDescription
from harness.client.protocol import Answer, ChatClient, ChatRequest
from harness.errors import AdapterNotApplied, ServerError
from harness.records.plan import Ask
from harness.records.run import AdapterProof

PROBES = 8
PROBE_TOKENS = 8
# Below this many nats two log-probabilities are taken for equal, whatever the noise says.
RESOLUTION = 1e-5
NOISE_FACTOR = 4.0

Logprobs = tuple[tuple[str, float], ...]


async def prove(
    client: ChatClient,
    server: ServerDescription,
    names: tuple[str, str],
    adapter_digest: str,
    asks: Sequence[Ask],
) -> AdapterProof:
    """The proof for the model `names[1]`, an adapter on the base `names[0]` of the same server.

    Each probe, a prompt of the plan, goes to the base twice and to the adapter once; what differs
    between the two askings of the base is noise. Only log-probabilities of generated tokens are
    asked for: prompt log-probabilities break LoRA servers.

    Raises:
        AdapterNotApplied: the server does not list the adapter under its base, or answers every
            probe as the base does.
        ServerError: a probe brought no log-probabilities.
    """
    base, adapter = names
    entry = next((model for model in server.models if model.id == adapter), None)
    if entry is None or entry.parent != base:
        listed = ", ".join(model.id for model in server.models)
        raise AdapterNotApplied(
            f"the server does not list `{adapter}` as an adapter of `{base}` (it lists {listed})",
            hint="read server.log for why it was dropped",
        )
    probes = _spread(asks)
    first = await _answers(client, base, probes)
    again = await _answers(client, base, probes)
    adapted = await _answers(client, adapter, probes)
    noise = max(_gap(one, two) for one, two in zip(first, again, strict=True))
    gaps = [_gap(one, two) for one, two in zip(first, adapted, strict=True)]
    threshold = max(RESOLUTION, NOISE_FACTOR * noise)
    proof = AdapterProof(
        model=adapter,
        parent=base,
        adapter=adapter_digest,
        probes=len(probes),
        differing=sum(gap > threshold for gap in gaps),
        largest_gap=max(gaps),
        noise=noise,
    )
    if proof.differing == 0:
        raise AdapterNotApplied(
            f"`{adapter}` answers {len(probes)} probes exactly as its base does "
            f"(largest difference {proof.largest_gap:.2g} nats, noise {noise:.2g})",
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


def _gap(one: Logprobs, two: Logprobs) -> float:
    """The largest difference in nats up to the first token that differs, which itself counts.

    Where tokens differ, greedy decoding took another path: the distance between the
    log-probabilities of the two different tokens says nothing, so at least one nat is counted.
    """
    largest = 0.0
    for (token, logprob), (other, other_logprob) in zip(one, two, strict=False):
        if token != other:
            return max(largest, 1.0)
        largest = max(largest, abs(logprob - other_logprob))
    return largest
