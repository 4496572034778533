"""Probes: a few prompts of a plan, put to a server to see what it is rather than what it knows."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from harness.client.protocol import Answer, ChatClient, ChatRequest, Failed
from harness.errors import ServerError
from harness.records.asks import Ask
from harness.records.attempt import Failure

PROBES = 8
PROBE_TOKENS = 8
# Times the largest difference of a model from itself: what is beyond is no noise.
NOISE_FACTOR = 4.0

Logprobs = tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Gap:
    """How far two answers are apart: in nats while their tokens agree, and whether they fork.

    After a fork the two are different texts, so their log-probabilities are no longer compared.
    """

    nats: float
    forked: bool


def gap_between(one: Logprobs, two: Logprobs) -> Gap:
    """How far two answers are apart."""
    largest = 0.0
    for (token, logprob), (other, other_logprob) in zip(one, two, strict=False):
        if token != other:
            return Gap(largest, forked=True)
        largest = max(largest, abs(logprob - other_logprob))
    return Gap(largest, forked=len(one) != len(two))


def spread(asks: Sequence[Ask]) -> list[Ask]:
    """Some of the asks, at most `PROBES`, from all over the list."""
    step = max(1, len(asks) // PROBES)
    return list(asks[::step][:PROBES])


async def logprobs(client: ChatClient, model: str, probes: Sequence[Ask]) -> list[Logprobs]:
    """The tokens that the model answers the probes with, and their log-probabilities.

    Only log-probabilities of generated tokens are asked for: prompt log-probabilities break LoRA
    servers.

    Raises:
        ServerError: a probe failed, or brought no log-probabilities.
    """
    return list(await asyncio.gather(*(_logprobs(client, model, probe) for probe in probes)))


async def _logprobs(client: ChatClient, model: str, probe: Ask) -> Logprobs:
    reply = await client.ask(_request(model, probe))
    if not isinstance(reply, Answer):
        raise ServerError(f"a probe of `{model}` failed: {reply.failure.detail}")
    if not reply.token_logprobs:
        raise ServerError(
            f"`{model}` gave no log-probabilities for a probe",
            hint="the adapter cannot be proven without them",
        )
    return reply.token_logprobs


async def answers(
    client: ChatClient,
    model: str,
    probes: Sequence[Ask],
    answers_as: str | None,
    *,
    with_logprobs: bool,
) -> list[Logprobs] | Failure:
    """What the model answers the probes with, or the first failure.

    Where no log-probabilities come, a text stands as a single token.
    """
    requests = [
        replace(_request(model, probe), logprobs=with_logprobs, answers_as=answers_as)
        for probe in probes
    ]
    found: list[Logprobs] = []
    for reply in await asyncio.gather(*(client.ask(request) for request in requests)):
        if isinstance(reply, Failed):
            return reply.failure
        found.append(reply.token_logprobs or ((reply.text, 0.0),))
    return found


def _request(model: str, probe: Ask) -> ChatRequest:
    return ChatRequest(model=model, messages=probe.messages, max_tokens=PROBE_TOKENS, logprobs=True)
