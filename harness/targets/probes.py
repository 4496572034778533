"""Probes: a few prompts of a plan whose answers identify the model of a server."""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from harness.client.protocol import ChatClient, ChatRequest, Failed
from harness.client.refused_fields import check_taken
from harness.errors import ServerError
from harness.records.attempt import Failure
from harness.records.plan import Plan, PlannedRequest
from harness.records.suite import Case

PROBES = 8
DRAWN = 4
PROBE_TOKENS = 8

Logprobs = tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Tolerances:
    """Nats within which two answers of the same weights may differ, by what else is different.

    Where a model was seen to differ from itself by more, `noise_factor` times that counts.
    """

    repeated: float = 1e-5  # nothing: the same server, asked again
    replica: float = 1e-3  # another server with the same kind of hardware
    rebatched: float = 0.1  # a batch with other requests, or other hardware
    noise_factor: float = 4.0
    contradiction: float = 0.5  # more than rounding: the model does not repeat itself

    def threshold(self, tolerance: float, noise: float) -> float:
        """The nats beyond which two answers differ, given what a model differs by from itself.

        However large the noise is, a contradiction is a difference.
        """
        return min(max(tolerance, self.noise_factor * noise), self.contradiction)


TOLERANCES = Tolerances()


@dataclass(frozen=True, slots=True)
class ProbeComparison:
    """The differences, in nats, of answers to probes from two rounds of answers of a reference.

    `noise` is the largest difference of the reference from itself; `forked` counts the probes on
    which it contradicts itself. They are left out of `gaps`.
    """

    gaps: tuple[float, ...]
    forked: int
    noise: float
    threshold: float

    @property
    def conclusive(self) -> bool:
        """Whether the reference gave one answer to at least three quarters of the probes."""
        return 3 * self.forked <= len(self.gaps)

    @property
    def differing(self) -> int:
        """The number of probes that are answered differently."""
        return sum(gap > self.threshold for gap in self.gaps)

    @property
    def largest(self) -> float:
        """The largest difference in nats."""
        return max(self.gaps)


def compare(
    reference: tuple[Sequence[Logprobs], Sequence[Logprobs]],
    other: Sequence[Logprobs],
    tolerance: float,
) -> ProbeComparison:
    """How `other` differs from the two rounds of answers of the reference to the same probes.

    `tolerance` is one of `TOLERANCES`.
    """
    first, second = reference
    own = gaps_between(first, second)
    pairs = zip(gaps_between(first, other), own, strict=True)
    usable = tuple(gap for gap, own_gap in pairs if own_gap <= TOLERANCES.contradiction)
    noise = max((gap for gap in own if gap <= TOLERANCES.contradiction), default=0.0)
    return ProbeComparison(
        gaps=usable,
        forked=len(own) - len(usable),
        noise=noise,
        threshold=TOLERANCES.threshold(tolerance, noise),
    )


def mean_gap(gaps: Iterable[float]) -> float:
    """The mean of the differences, 0 of none; a contradiction counts as the least one there is."""
    counted = [min(gap, TOLERANCES.contradiction) for gap in gaps]
    return sum(counted) / len(counted) if counted else 0.0


def gaps_between(one: Sequence[Logprobs], two: Sequence[Logprobs]) -> list[float]:
    """How far the answers to each probe are apart, in nats."""
    return [gap_between(first, second) for first, second in zip(one, two, strict=True)]


def gap_between(one: Logprobs, two: Logprobs) -> float:
    """How far two greedy answers are apart: the nats by which some log-probability must differ.

    Up to the token at which they fork both have the same context, and after it no longer. Each took
    its likeliest token there: rounding alone explains a fork where the two tokens are about equally
    likely, and nothing but another model where each was sure of its own.
    """
    largest = 0.0
    for (token, logprob), (other, other_logprob) in zip(one, two, strict=False):
        gap = abs(logprob - other_logprob)
        if token != other:
            return max(largest, gap, _fork(logprob, other_logprob))
        largest = max(largest, gap)
    if len(one) != len(two):
        # One of them ended, with a probability that is not told; it was at least the other token's.
        longer = max(one, two, key=len)
        _, logprob = longer[min(len(one), len(two))]
        largest = max(largest, _fork(logprob, logprob) / 2)
    return largest


_SUREST = -6e-8  # float32 has nothing between this and 0, and no model is certain


def _fork(logprob: float, other: float) -> float:
    """The least nats by which two distributions differ whose likeliest tokens are not the same one.

    The first gives its token p and the second's at most 1 - p, to which the second gives q: so at
    least log(q / (1 - p)), and the other way round.
    """
    one, two = min(logprob, _SUREST), min(other, _SUREST)
    rest = [math.log(-math.expm1(each)) for each in (one, two)]
    return max(0.0, two - rest[0], one - rest[1])


def choose_probes(asks: Sequence[PlannedRequest], most: int = PROBES) -> list[PlannedRequest]:
    """Some of the requests, at most `most`, from all over the list: always the same ones.

    A longer choice begins with the shorter one.
    """
    if not asks:  # a run whose sections ask nothing at once
        written = [
            {"id": f"probe-{number}", "prompt": f"Write a short note on the number {number}."}
            for number in range(most)
        ]
        cases = map(Case.model_validate, written)
        return [PlannedRequest(case.id, "", "", case, 0, case.messages, 0) for case in cases]
    step = max(1, len(asks) // PROBES)
    whole = range(len(asks))
    places = dict.fromkeys((*whole[::step][:PROBES], *whole[step // 2 :: 2 * step], *whole))
    return [asks[place] for place in list(places)[:most]]


def draw_probes(
    asks: Sequence[PlannedRequest], chosen: Sequence[PlannedRequest]
) -> list[PlannedRequest]:
    """Some more than were chosen, at most `DRAWN`, at random: no server knows them before."""
    drawn = random.SystemRandom().sample(range(len(asks)), min(DRAWN + len(chosen), len(asks)))
    known = {ask.path for ask in chosen}
    return [ask for ask in (asks[place] for place in drawn) if ask.path not in known][:DRAWN]


async def logprobs(
    client: ChatClient,
    model: str,
    probes: Sequence[PlannedRequest],
    *,
    fields: Mapping[str, Any],
    at_once: bool = True,
) -> list[Logprobs]:
    """The tokens of the model's answers to the probes, and their log-probabilities.

    `fields` are sent besides, as they are with the requests that count: they may change how an
    answer begins. Sent `at_once` they share batches on the server. Only log-probabilities of
    generated tokens are asked for: prompt log-probabilities break LoRA servers.

    Raises:
        ConfigError: the server refuses a field of the requests.
        ServerError: a probe failed, or brought no log-probabilities.
    """
    requests = [_request(model, probe, fields) for probe in probes]
    if at_once:
        replies = await asyncio.gather(*map(client.ask, requests))
    else:
        replies = [await client.ask(request) for request in requests]
    found = []
    for reply in replies:
        if isinstance(reply, Failed):
            check_taken(reply.failure, model)
            raise ServerError(f"a probe of `{model}` failed: {reply.failure.detail}")
        if not reply.token_logprobs:
            raise ServerError(
                f"`{model}` gave no log-probabilities for a probe",
                hint="the adapter cannot be proven without them",
            )
        found.append(reply.token_logprobs)
    return found


async def answers(
    client: ChatClient,
    planned: Plan,
    answers_as: str | None,
    *,
    with_logprobs: bool,
) -> list[Logprobs] | Failure:
    """The answers of the plan's model to its probes, or the first failure.

    Where no log-probabilities come, a text stands as a single token.
    """
    model, fields = planned.identity.model, planned.generation.probe_fields()
    requests = [
        replace(_request(model, probe, fields), logprobs=with_logprobs, answers_as=answers_as)
        for probe in choose_probes(planned.pool)
    ]
    found: list[Logprobs] = []
    for reply in await asyncio.gather(*(client.ask(request) for request in requests)):
        if isinstance(reply, Failed):
            return reply.failure
        found.append(reply.token_logprobs or ((reply.text, 0.0),))
    return found


def _request(model: str, probe: PlannedRequest, fields: Mapping[str, Any]) -> ChatRequest:
    return ChatRequest(
        model=model,
        messages=probe.messages,
        max_tokens=PROBE_TOKENS,
        logprobs=True,
        extra=fields,
    )
