"""Block: put one arm's requests to the server as they are due, and keep what came of each."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from harness.client.protocol import Answer, ChatClient, ChatRequest, Reply
from harness.clock import Clock
from harness.latency.deadline_timer import DeadlineTimer
from harness.latency.schedule import Due
from harness.records.latency import Sample
from harness.records.load import Load
from harness.records.suite import Message
from harness.records.target import Generation

# Between the decision to begin and the first request, so that none is late from the start.
LEAD = 0.05
# What says how long an answer must at least be.
LENGTH_FIELDS = frozenset({"ignore_eos", "min_tokens"})
_PRIMED_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Asked:
    """How an arm is asked: its name on the server, what it is asked, and the sampling."""

    model: str
    prompts: Mapping[int, tuple[Message, ...]]
    generation: Generation
    answers_as: str | None = None
    extra: Mapping[str, object] = field(default_factory=dict)

    def request(self, prompt: int) -> ChatRequest:
        """The request for a prompt."""
        return ChatRequest(
            model=self.model,
            messages=self.prompts[prompt],
            max_tokens=self.generation.max_tokens,
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


async def prime(
    dues: Sequence[Due], asked: Asked, client: ChatClient, clock: Clock
) -> tuple[Sample, ...]:
    """What came of every prompt of the block, put to the server once so that it is cached."""
    once = {due.prompt: due for due in dues}
    extra = {name: value for name, value in asked.extra.items() if name not in LENGTH_FIELDS}
    short = replace(
        asked, generation=asked.generation.model_copy(update={"max_tokens": 1}), extra=extra
    )
    return await _closed(_PRIMED_AT_ONCE, clock.now(), list(once.values()), short, client, clock)


async def _open(
    start: float, dues: Sequence[Due], asked: Asked, client: ChatClient, clock: Clock
) -> tuple[Sample, ...]:
    async def one(due: Due) -> Sample:
        intended = start + due.offset
        late = max(0.0, clock.now() - intended)
        reply = await client.ask(asked.request(due.prompt), intended=intended)
        return _sample(due, due.offset, reply, late)

    tasks = []
    with DeadlineTimer(clock) as timer:
        async with asyncio.TaskGroup() as group:
            for due in dues:
                await timer.wait_until(start + due.offset)
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


def _sample(due: Due, at: float, reply: Reply, late: float = 0.0) -> Sample:
    if not isinstance(reply, Answer):
        return Sample(
            prompt=due.prompt,
            due=at,
            timing=reply.timing,
            failure=reply.failure,
            late=late,
            uncounted=due.uncounted,
        )
    usage = reply.usage
    return Sample(
        prompt=due.prompt,
        due=at,
        timing=reply.timing,
        tokens=None if usage is None else usage.completion_tokens,
        first_tokens=reply.first_tokens,
        prompt_tokens=None if usage is None else usage.prompt_tokens,
        late=late,
        uncounted=due.uncounted,
    )
