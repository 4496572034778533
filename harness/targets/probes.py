"""Probes: a few prompts of a plan whose answers identify the model of a server."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from harness.client.protocol import ChatClient, ChatRequest, Failed
from harness.errors import ServerError
from harness.records.attempt import Failure
from harness.records.plan import PlannedRequest
from harness.records.suite import Case

PROBES = 8
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

    def threshold(self, tolerance: float, noise: float) -> float:
        """The nats beyond which two answers differ, given a model's largest own difference."""
        return max(tolerance, self.noise_factor * noise)


TOLERANCES = Tolerances()


@dataclass(frozen=True, slots=True)
class AnswerGap:
    """The distance of two answers: in nats while their tokens are equal, and whether they fork.

    After a fork the two are different texts, so their log-probabilities are no longer compared.
    """

    nats: float
    forked: bool

    def beyond(self, threshold: float) -> bool:
        """Whether the two are different texts, or further apart than the threshold in nats."""
        return self.forked or self.nats > threshold


@dataclass(frozen=True, slots=True)
class ProbeComparison:
    """The differences of answers to probes from two rounds of answers of a reference.

    `noise` is the largest difference of the reference from itself, in nats; `forked` counts the
    probes on which it gave two texts. They are left out of `gaps`.
    """

    gaps: tuple[AnswerGap, ...]
    forked: int
    noise: float
    threshold: float

    @property
    def conclusive(self) -> bool:
        """Whether the reference gave one text to at least three quarters of the probes."""
        return 3 * self.forked <= len(self.gaps)

    @property
    def differing(self) -> int:
        """The number of probes that are answered differently."""
        return sum(gap.beyond(self.threshold) for gap in self.gaps)

    @property
    def largest(self) -> float:
        """The largest difference in nats."""
        return max(gap.nats for gap in self.gaps)


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
    noise = max(gap.nats for gap in own)
    pairs = zip(gaps_between(first, other), own, strict=True)
    usable = tuple(gap for gap, own_gap in pairs if not own_gap.forked)
    return ProbeComparison(
        gaps=usable,
        forked=len(own) - len(usable),
        noise=noise,
        threshold=TOLERANCES.threshold(tolerance, noise),
    )


def gaps_between(one: Sequence[Logprobs], two: Sequence[Logprobs]) -> list[AnswerGap]:
    """How far the answers to each probe are apart."""
    return [gap_between(first, second) for first, second in zip(one, two, strict=True)]


def gap_between(one: Logprobs, two: Logprobs) -> AnswerGap:
    """How far two answers are apart."""
    largest = 0.0
    for (token, logprob), (other, other_logprob) in zip(one, two, strict=False):
        if token != other:
            return AnswerGap(largest, forked=True)
        largest = max(largest, abs(logprob - other_logprob))
    return AnswerGap(largest, forked=len(one) != len(two))


def choose_probes(asks: Sequence[PlannedRequest]) -> list[PlannedRequest]:
    """Some of a plan's requests, at most `PROBES`, from all over the list."""
    if not asks:  # a run whose sections ask nothing at once
        written = [
            {"id": f"probe-{number}", "prompt": f"Write a short note on the number {number}."}
            for number in range(PROBES)
        ]
        cases = map(Case.model_validate, written)
        return [PlannedRequest(case.id, "", "", case, 0, case.messages, 0) for case in cases]
    step = max(1, len(asks) // PROBES)
    return list(asks[::step][:PROBES])


async def logprobs(
    client: ChatClient, model: str, probes: Sequence[PlannedRequest]
) -> list[Logprobs]:
    """The tokens of the model's answers to the probes, and their log-probabilities.

    Only log-probabilities of generated tokens are asked for: prompt log-probabilities break LoRA
    servers.

    Raises:
        ServerError: a probe failed, or brought no log-probabilities.
    """
    found = []
    for reply in await asyncio.gather(*(client.ask(_request(model, probe)) for probe in probes)):
        if isinstance(reply, Failed):
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
    model: str,
    probes: Sequence[PlannedRequest],
    answers_as: str | None,
    *,
    with_logprobs: bool,
) -> list[Logprobs] | Failure:
    """The model's answers to the probes, or the first failure.

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


def _request(model: str, probe: PlannedRequest) -> ChatRequest:
    return ChatRequest(model=model, messages=probe.messages, max_tokens=PROBE_TOKENS, logprobs=True)
