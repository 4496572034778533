"""No faster than the limits in any minute, no slower than they ask for, and in turn."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.client.limits import SPAN
from harness.client.meter import BYTES_PER_TOKEN, TOKENS_PER_MESSAGE, Meter
from harness.client.protocol import Answer, ChatRequest, Failed, Layer, Reply, RequestContext
from harness.client.retry import RetryingClient
from harness.client.throttle import ThrottledClient
from harness.records.attempt import Failure, Timing, Usage
from harness.records.cost import Metered
from harness.records.suite import Message
from harness.records.target import Generation
from tests.client.simulated import SimulatedClock, simulate

CLOCK = SimulatedClock()
RESET = Failure(cause="reset", detail="told to")


def chat(text: str = "hi", max_tokens: int = 10) -> ChatRequest:
    return ChatRequest("mock", (Message(role="user", content=text),), max_tokens=max_tokens)


def worst(request: ChatRequest) -> int:
    """The tokens reserved for the request, by the words of the documentation."""
    size = len(request.messages[0].content.encode())
    return -(-size // BYTES_PER_TOKEN) + TOKENS_PER_MESSAGE + request.max_tokens


class Server(Layer):
    """Answers after a while with the tokens it is told; `sent` are the moments of its requests."""

    def __init__(
        self, says: Callable[[ChatRequest], tuple[float, Usage | Failure | None]] | None = None
    ) -> None:
        super().__init__(CLOCK)
        self._says = says or (lambda _: (0.0, None))
        self.sent: list[float] = []
        self.prompts: list[str] = []
        self.finished = 0

    async def send(self, request: ChatRequest, context: RequestContext) -> Reply:
        now, start = CLOCK.now(), context.intended
        self.sent.append(now)
        self.prompts.append(request.messages[0].content)
        seconds, said = self._says(request)
        await asyncio.sleep(seconds)
        self.finished += 1
        timing = Timing(sent=now - start, done=CLOCK.now() - start)
        if isinstance(said, Failure):
            return Failed(said, timing, 1)
        return Answer("yes", None, "stop", said, timing, 1, request.model)


def build(server: Server, limits: Metered, generation: Generation | None = None) -> RetryingClient:
    """The whole stack in front of a server."""
    return stack(server, Meter("main", limits, clock=CLOCK), generation)


def stack(server: Layer, meter: Meter, generation: Generation | None = None) -> RetryingClient:
    one = ThrottledClient(server, limit=1000, clock=CLOCK, meter=meter)
    settings = generation or Generation(retries=0)
    return RetryingClient(one, generation=settings, clock=CLOCK, meter=meter)


@dataclass(frozen=True)
class Arrival:
    after: float
    lasts: float
    size: int
    max_tokens: int
    used: int | None
    fails: bool
    gives_up: float | None

    @property
    def request(self) -> ChatRequest:
        return chat("x" * self.size, self.max_tokens)

    @property
    def charged(self) -> int:
        """What the request counts for in the end."""
        return worst(self.request) if self.used is None or self.fails else self.used


arrivals = st.builds(
    Arrival,
    after=st.sampled_from([0.0, 0.0, 0.0, 0.3, 5.0, 29.5, 60.0, 61.0]),
    lasts=st.sampled_from([0.0, 0.5, 20.0, 70.0]),
    size=st.integers(1, 60),
    max_tokens=st.integers(1, 30),
    used=st.none() | st.integers(0, 9),
    fails=st.booleans(),
    gives_up=st.none() | st.sampled_from([0.0, 1.0, 65.0]),
)


@settings(max_examples=150)
@given(
    st.lists(arrivals, max_size=25),
    st.none() | st.integers(1, 6),
    st.none() | st.integers(60, 200),
)
def test_no_minute_ever_holds_more_than_the_limits(
    plan: list[Arrival], requests: int | None, tokens: int | None
) -> None:
    sent: list[tuple[float, int]] = []

    class Charging(Layer):
        async def send(self, request: ChatRequest, context: RequestContext) -> Reply:
            one = by_request[id(request)]
            place = len(sent)
            sent.append((CLOCK.now(), worst(request)))
            await asyncio.sleep(one.lasts)
            sent[place] = (sent[place][0], one.charged)
            timing = Timing(sent=0.0, done=0.0)
            if one.fails:
                return Failed(Failure(cause="protocol", detail=""), timing, 1)
            usage = None
            if one.used is not None:
                usage = Usage(prompt_tokens=one.used, completion_tokens=0)
            return Answer("", None, "stop", usage, timing, 1, "mock")

    asked = [(one, one.request) for one in plan]
    by_request = {id(request): one for one, request in asked}

    async def case(client: RetryingClient, one: Arrival, request: ChatRequest) -> Reply | None:
        try:
            async with asyncio.timeout(one.gives_up):
                return await client.ask(request)
        except TimeoutError:
            return None

    async def all_of_them() -> list[Reply | None]:
        limits = Metered(max_requests_per_minute=requests, max_tokens_per_minute=tokens)
        meter = Meter("main", limits, clock=CLOCK)
        client = stack(Charging(CLOCK), meter, Generation(retries=0, case_timeout=1e6))
        tasks = []
        for one, request in asked:
            await asyncio.sleep(one.after)
            tasks.append(asyncio.ensure_future(case(client, one, request)))
        return [await task for task in tasks]

    replies = simulate(all_of_them())
    for one, reply in zip(plan, replies, strict=True):
        assert reply is not None or one.gives_up is not None
    for first, _ in sent:
        inside = [count for moment, count in sent if first <= moment < first + 60.0]
        assert requests is None or len(inside) <= requests
        assert tokens is None or sum(inside) <= tokens


@settings(max_examples=150)
@given(
    st.lists(st.tuples(st.sampled_from([0.0, 0.0, 1.0, 40.0]), st.integers(1, 90)), max_size=30),
    st.none() | st.integers(1, 6),
    st.none() | st.integers(60, 200),
)
def test_nobody_waits_longer_than_the_limits_ask_for(
    plan: list[tuple[float, int]], requests: int | None, tokens: int | None
) -> None:
    server = Server()

    async def all_of_them() -> None:
        client = build(
            server, Metered(max_requests_per_minute=requests, max_tokens_per_minute=tokens)
        )
        async with asyncio.TaskGroup() as group:
            for after, size in plan:
                await asyncio.sleep(after)
                group.create_task(client.ask(chat("x" * size)))

    simulate(all_of_them())
    expected: list[tuple[float, int]] = []
    arrived = 0.0
    for after, size in plan:
        arrived += after
        earliest = max(arrived, expected[-1][0] if expected else 0.0)
        need = worst(chat("x" * size))
        for moment in sorted([earliest, *(sent + SPAN for sent, _ in expected)]):
            inside = [count for sent, count in expected if sent + SPAN > moment + 1e-6]
            fits = requests is None or len(inside) < requests
            fits &= tokens is None or sum(inside) + need <= tokens
            if moment >= earliest and fits:
                expected.append((moment, need))
                break
    assert server.sent == pytest.approx([moment for moment, _ in expected], abs=1e-4)


def test_who_comes_first_is_sent_first() -> None:
    server = Server()

    async def work() -> None:
        client = build(server, Metered(max_requests_per_minute=2))
        await asyncio.gather(*(client.ask(chat(str(number))) for number in range(7)))

    simulate(work())
    assert server.prompts == [str(number) for number in range(7)]
    assert server.sent == pytest.approx([0.0, 0.0, SPAN, SPAN, 2 * SPAN, 2 * SPAN, 3 * SPAN])


def test_a_small_request_does_not_overtake_a_large_one() -> None:
    server = Server()

    async def work() -> None:
        client = build(server, Metered(max_tokens_per_minute=100))
        sizes = {"a": 60, "b": 60, "c": 1}
        await asyncio.gather(*(client.ask(chat(name, size)) for name, size in sizes.items()))

    simulate(work())
    assert server.prompts == ["a", "b", "c"]


def test_every_try_counts_and_a_case_under_way_goes_before_new_ones() -> None:
    failed: set[str] = set()

    def says(request: ChatRequest) -> tuple[float, Failure | None]:
        text = request.messages[0].content
        first = text == "0" and text not in failed
        failed.add(text)
        return 0.0, RESET if first else None

    server = Server(says)

    async def work() -> list[Reply]:
        client = build(server, Metered(max_requests_per_minute=1), Generation(retries=1))
        return await asyncio.gather(*(client.ask(chat(str(number))) for number in range(3)))

    replies = simulate(work())
    assert server.prompts == ["0", "0", "1", "2"]
    assert server.sent == pytest.approx([0.0, SPAN, 2 * SPAN, 3 * SPAN])
    assert [reply.tries for reply in replies] == [2, 1, 1]


def test_who_gives_up_waiting_frees_the_place() -> None:
    server = Server()

    async def work() -> None:
        client = build(server, Metered(max_requests_per_minute=1))
        tasks = [asyncio.ensure_future(client.ask(chat(str(number)))) for number in range(4)]
        await asyncio.sleep(1.0)
        tasks[1].cancel()
        tasks[2].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    simulate(work())
    assert server.prompts == ["0", "3"]
    assert server.sent == pytest.approx([0.0, SPAN])


def test_waiting_in_turn_takes_nothing_of_the_cases_time_and_is_no_latency() -> None:
    server = Server(lambda _: (3.0, None))

    async def work() -> list[Reply]:
        settings = Generation(retries=0, case_timeout=5.0)
        client = build(server, Metered(max_requests_per_minute=1), settings)
        return await asyncio.gather(*(client.ask(chat()) for _ in range(5)))

    replies = simulate(work())
    assert [type(reply) for reply in replies] == [Answer] * 5
    assert server.sent[-1] == pytest.approx(4 * SPAN)
    for reply in replies:
        assert reply.timing is not None
        assert (reply.timing.sent, reply.timing.done) == pytest.approx((0.0, 3.0))


def test_a_late_start_of_the_callers_own_is_latency() -> None:
    async def work() -> Reply:
        client = build(Server(), Metered(max_requests_per_minute=1))
        await client.ask(chat())
        await asyncio.sleep(2.0)
        return await client.ask(chat(), intended=1.5)

    reply = simulate(work())
    assert reply.timing is not None
    assert reply.timing.sent == pytest.approx(0.5)


def test_an_answer_gives_back_the_tokens_it_did_not_take() -> None:
    used = Usage(prompt_tokens=5, completion_tokens=5)
    server = Server(lambda _: (2.0, used))

    async def work() -> None:
        client = build(server, Metered(max_tokens_per_minute=100))
        await asyncio.gather(*(client.ask(chat("hi", 80)) for _ in range(2)))

    simulate(work())
    assert server.sent == pytest.approx([0.0, 2.0])


def test_an_answer_without_usage_keeps_what_was_reserved() -> None:
    server = Server(lambda _: (2.0, None))

    async def work() -> None:
        client = build(server, Metered(max_tokens_per_minute=100))
        await asyncio.gather(*(client.ask(chat("hi", 80)) for _ in range(2)))

    simulate(work())
    assert server.sent == pytest.approx([0.0, SPAN])


def test_a_prompt_that_the_server_makes_longer_is_foreseen_the_next_time() -> None:
    server = Server(lambda _: (0.0, Usage(prompt_tokens=50, completion_tokens=0)))

    async def work() -> None:
        client = build(server, Metered(max_tokens_per_minute=105))
        for _ in range(2):
            await client.ask(chat("hi", 10))

    simulate(work())
    assert server.sent == pytest.approx([0.0, SPAN]), "50 and 50 + 10 are more than 105"


def test_a_request_that_no_minute_can_hold_is_not_sent() -> None:
    server = Server()

    async def work() -> Reply:
        client = build(server, Metered(max_tokens_per_minute=100))
        return await client.ask(chat("x" * 300, 10))

    reply = simulate(work())
    assert isinstance(reply, Failed)
    assert reply.failure.detail == "may take 118 tokens, more than max_tokens_per_minute: not sent"
    assert server.sent == []


def test_one_meter_serves_one_event_loop_after_the_other() -> None:
    class Shared(SimulatedClock):
        def now(self) -> float:
            return base + super().now()

    base = 0.0
    meter = Meter("main", Metered(max_requests_per_minute=2), clock=Shared())
    server = Server()

    async def work() -> None:
        client = stack(server, meter)
        await asyncio.gather(*(client.ask(chat()) for _ in range(2)))

    simulate(work())
    base = 10.0
    simulate(work())
    assert server.sent == pytest.approx([0.0, 0.0, SPAN - 10.0, SPAN - 10.0])
