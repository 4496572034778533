"""Block: put one arm's requests to the server as they are due, and keep what came of each."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from harness.client.alarm import Alarm
from harness.client.protocol import Answer, ChatClient, ChatRequest, Reply
from harness.clock import Clock
from harness.records.latency import Sample
from harness.records.load import Load
from harness.records.suite import Message
from harness.records.target import Generation
from harness.stages.latency.schedule import Due

# Between the decision to begin and the first request, so that none is late from the start.
LEAD = 0.05
_PRIMED_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Asked:
    """How an arm is asked: its name on the server, what it is asked, and the sampling."""

    model: str
    prompts: Mapping[int, tuple[Message, ...]]
    generation: Generation
    answers_as: str | None = None
    extra: Mapping[str, object] = field(default_factory=dict)

    def request(self, prompt: int, max_tokens: int | None = None) -> ChatRequest:
        """The request for a prompt."""
        return ChatRequest(
            model=self.model,
            messages=self.prompts[prompt],
            max_tokens=max_tokens or self.generation.max_tokens,
            temperature=self.generation.temperature,
            top_p=self.generation.top_p,
            seed=self.generation.seed,
            answers_as=self.answers_as,
            extra=self.extra,
        )


async def run_block(
    load: Load, dues: Sequence[Due], asked: Asked, client: ChatClient, clock: Clock
) -> tuple[Sample, ...]:
    """What came of every request, in the order in which they were due.

    Nothing is asked again. Under an open load a request is sent when it is due, whatever has
    become of those before it, and its times count from then: a server that stops for a while is
    late for all that were due meanwhile (Tene, "How NOT to Measure Latency", 2013).
    """
    start = clock.now() + LEAD
    await clock.sleep(LEAD)
    if load.kind == "poisson":
        return await _open(start, dues, asked, client, clock)
    return await _closed(load.concurrency, start, dues, asked, client, clock)


async def prime(dues: Sequence[Due], asked: Asked, client: ChatClient) -> None:
    """Return when the server has seen every prompt of the block, so that all are in its cache."""
    waiting = iter(dict.fromkeys(due.prompt for due in dues))

    async def worker() -> None:
        for prompt in waiting:
            await client.ask(asked.request(prompt, max_tokens=1))

    async with asyncio.TaskGroup() as group:
        for _ in range(_PRIMED_AT_ONCE):
            group.create_task(worker())


async def _open(
    start: float, dues: Sequence[Due], asked: Asked, client: ChatClient, clock: Clock
) -> tuple[Sample, ...]:
    async def one(due: Due) -> Sample:
        intended = start + due.offset
        reply = await client.ask(asked.request(due.prompt), intended=intended)
        return _sample(due, due.offset, reply)

    tasks = []
    with Alarm(clock) as alarm:
        async with asyncio.TaskGroup() as group:
            for due in dues:
                await alarm.until(start + due.offset)
                tasks.append(group.create_task(one(due)))
    return tuple(task.result() for task in tasks)


async def _closed(
    at_once: int,
    start: float,
    dues: Sequence[Due],
    asked: Asked,
    client: ChatClient,
    clock: Clock,
) -> tuple[Sample, ...]:
    waiting = iter(enumerate(dues))
    found: dict[int, Sample] = {}

    async def worker() -> None:
        for number, due in waiting:
            now = clock.now()
            reply = await client.ask(asked.request(due.prompt), intended=now)
            found[number] = _sample(due, now - start, reply)

    async with asyncio.TaskGroup() as group:
        for _ in range(min(at_once, len(dues))):
            group.create_task(worker())
    return tuple(found[number] for number in range(len(dues)))


def _sample(due: Due, at: float, reply: Reply) -> Sample:
    if not isinstance(reply, Answer):
        return Sample(
            prompt=due.prompt,
            due=at,
            timing=reply.timing,
            failure=reply.failure,
            opening=due.opening,
        )
    usage = reply.usage
    return Sample(
        prompt=due.prompt,
        due=at,
        timing=reply.timing,
        tokens=None if usage is None else usage.completion_tokens,
        first_tokens=reply.first_tokens,
        prompt_tokens=None if usage is None else usage.prompt_tokens,
        opening=due.opening,
    )
