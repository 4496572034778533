"""A block: what one arm is asked and when, drawn beforehand, and what came of each request."""

from __future__ import annotations

import asyncio
import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from harness.client.protocol import Answer, ChatClient, ChatRequest, Reply
from harness.clock import Clock
from harness.latency.deadline_timer import DeadlineTimer
from harness.records.latency import ARMS, Arm, LatencySettings, Pace, Sample
from harness.records.load import Load
from harness.records.suite import Message
from harness.records.target import Generation

_ORDERS: tuple[tuple[Arm, ...], ...] = tuple(itertools.permutations(ARMS))


@dataclass(frozen=True, slots=True)
class Due:
    """One request: its prompt's number, and when it is due from the block's start on.

    In a closed load it is due when a request before it ends.
    """

    prompt: int
    offset: float
    uncounted: bool


def orders(settings: LatencySettings, place: int) -> tuple[tuple[Arm, ...], ...]:
    """The arms' order in each round of the load at that place of the settings.

    Every order occurs equally often as far as the rounds go, in an order of their own drawn at
    random: neither an arm's turn nor who came before it is the same all the time.
    """
    draw = np.random.default_rng([settings.seed, place, 0])
    full, rest = divmod(settings.rounds, len(_ORDERS))
    some = draw.choice(len(_ORDERS), size=rest, replace=False)
    chosen = np.concatenate([np.tile(np.arange(len(_ORDERS)), full), some])
    draw.shuffle(chosen)
    return tuple(_ORDERS[number] for number in chosen)


def requests(
    settings: LatencySettings, place: int, round_: int, pace: Pace, prompts: int
) -> tuple[Due, ...]:
    """What each arm is asked in that round: the same prompts at the same offsets in seconds.

    The gaps of a Poisson process are exponential. Prompts are drawn without repetition as long as
    there are enough.
    """
    draw = np.random.default_rng([settings.seed, place, 1 + round_])
    last = pace.opening + counted(settings)
    count = last + pace.closing
    order = np.concatenate([draw.permutation(prompts) for _ in range(math.ceil(count / prompts))])
    offsets = np.zeros(count)
    if pace.rate is not None:
        offsets = np.cumsum(draw.exponential(1.0 / pace.rate, size=count))
    return tuple(
        Due(int(order[number]), float(offsets[number]), not pace.opening <= number < last)
        for number in range(count)
    )


def counted(settings: LatencySettings) -> int:
    """How many requests of a block count."""
    return math.ceil(settings.requests / settings.rounds)


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
            extra={**self.generation.request_fields(), **self.extra},
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
    one_token = {"max_tokens": 1, "min_tokens": None}
    short = replace(asked, generation=asked.generation.model_copy(update=one_token), extra=extra)
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
    answer = reply if isinstance(reply, Answer) else None
    usage = None if answer is None else answer.usage
    return Sample(
        prompt=due.prompt,
        due=at,
        timing=reply.timing,
        tokens=None if usage is None else usage.completion_tokens,
        first_tokens=None if answer is None else answer.first_tokens,
        prompt_tokens=None if usage is None else usage.prompt_tokens,
        failure=None if isinstance(reply, Answer) else reply.failure,
        late=late,
        uncounted=due.uncounted,
    )
