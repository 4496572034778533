"""How many requests go to a busy server: simulated, nobody really waits."""

from __future__ import annotations

import asyncio
import itertools
import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.client.protocol import Answer, Failed, Reply
from harness.client.retry import RetryingClient
from harness.client.throttle import ThrottledClient
from harness.records.target import Generation
from tests.client.conftest import ask_for
from tests.client.simulated import SimulatedClock, simulate
from tests.client.stand_in import Server


async def work_off(client: RetryingClient, cases: int, workers: int = 64) -> list[Reply]:
    left = iter(range(cases))
    replies = []

    async def worker() -> None:
        for number in left:
            replies.append(await client.ask(ask_for(str(number))))

    await asyncio.gather(*(worker() for _ in range(workers)))
    return replies


def retrying(client: ThrottledClient, clock: SimulatedClock, **more: float) -> RetryingClient:
    return RetryingClient(client, generation=Generation(**more), clock=clock)  # type: ignore[arg-type]


def test_one_burst_shows_what_the_server_bears() -> None:
    async def work(clock: SimulatedClock) -> int:
        client = ThrottledClient(Server(clock, capacity=9), limit=64, clock=clock)
        await asyncio.gather(*(client.ask(ask_for()) for _ in range(64)))
        return client.limit

    assert simulate(work(SimulatedClock())) == 9


@pytest.mark.parametrize("retry_after", [None, 2.0])
def test_refusals_that_have_nothing_to_do_with_the_load_slow_nobody_else(
    retry_after: float | None,
) -> None:
    """A server that refuses one request in five, at 64 at once as at one."""

    async def work(clock: SimulatedClock) -> tuple[int, float]:
        server = Server(clock, seconds=1.0)
        server.retry_after = retry_after
        chance = random.Random(3)
        server.moods = (chance.random() < 0.2 for _ in itertools.count())
        client = ThrottledClient(server, limit=64, clock=clock)
        replies = await work_off(retrying(client, clock, case_timeout=300), 6400)
        assert all(isinstance(reply, Answer) for reply in replies)
        return client.limit, clock.now()

    limit, seconds = simulate(work(SimulatedClock()))
    assert limit > 32
    assert seconds < (150.0 if retry_after is None else 250.0)  # 100 if nobody were refused


def test_waiting_for_room_takes_nothing_of_a_cases_time() -> None:
    async def work(clock: SimulatedClock) -> list[Reply]:
        server = Server(clock, capacity=2)
        client = ThrottledClient(server, limit=64, clock=clock)
        return await work_off(retrying(client, clock, case_timeout=12), 300)

    assert all(isinstance(reply, Answer) for reply in simulate(work(SimulatedClock())))


def test_a_server_that_stops_answering_is_waited_for_no_longer_than_a_case_takes() -> None:
    async def work(clock: SimulatedClock) -> tuple[list[Reply], float, float]:
        server = Server(clock, capacity=2)
        client = ThrottledClient(server, limit=64, clock=clock)
        cases = asyncio.create_task(work_off(retrying(client, clock, case_timeout=60), 64))
        await asyncio.sleep(10.0)
        server.capacity = 0
        return await cases, server.last_answered, clock.now()

    replies, last, now = simulate(work(SimulatedClock()))
    failed = [reply for reply in replies if isinstance(reply, Failed)]
    assert 0 < len(failed) < 64
    assert now <= last + 61.0


@settings(max_examples=10)
@given(capacity=st.integers(2, 60))
def test_goodput_is_near_the_capacity_with_few_refusals(capacity: int) -> None:
    async def work(clock: SimulatedClock) -> tuple[float, float]:
        server = Server(clock, capacity=capacity)
        client = retrying(ThrottledClient(server, limit=64, clock=clock), clock, case_timeout=5000)
        cases = capacity * 40
        replies = await work_off(client, cases)
        assert all(isinstance(reply, Answer) for reply in replies)
        steady = max(0, server.refused - 100)  # the way down from 64 is refused once
        return cases / clock.now() / capacity, steady / cases

    share, refused = simulate(work(SimulatedClock()))
    assert share > 0.75
    assert refused < 0.1


def test_a_server_at_its_limit_is_seldom_pushed_beyond_it() -> None:
    async def work(clock: SimulatedClock) -> int:
        server = Server(clock, capacity=4)
        client = retrying(ThrottledClient(server, limit=64, clock=clock), clock, case_timeout=5000)
        await work_off(client, 100)
        before = server.refused
        await work_off(client, 1000)
        return server.refused - before

    assert simulate(work(SimulatedClock())) < 50


def test_the_limit_recovers_once_the_server_does() -> None:
    async def work(clock: SimulatedClock) -> tuple[int, int, int]:
        server = Server(clock, capacity=2)
        client = ThrottledClient(server, limit=64, clock=clock)
        await work_off(retrying(client, clock, case_timeout=1000), 100)
        low = client.limit
        server.capacity = 1000
        before = server.refused
        await work_off(retrying(client, clock, case_timeout=1000), 4000)
        return low, client.limit, server.refused - before

    low, high, refused = simulate(work(SimulatedClock()))
    assert low < 4
    assert (high, refused) == (64, 0)


def test_a_retry_after_holds_every_new_request_back() -> None:
    async def work(clock: SimulatedClock) -> list[float]:
        server = Server(clock, capacity=4, seconds=0.1)
        server.retry_after = 20.0
        client = ThrottledClient(server, limit=8, clock=clock)
        first = [asyncio.create_task(client.ask(ask_for())) for _ in range(5)]
        await asyncio.sleep(0.05)
        second = [asyncio.create_task(client.ask(ask_for())) for _ in range(5)]
        await asyncio.gather(*first, *second)
        return server.asked

    asked = simulate(work(SimulatedClock()))
    assert asked[:5] == [0.0] * 5
    assert min(asked[5:]) >= 20.0


def test_a_hold_beyond_all_patience_concerns_the_refused_request_alone() -> None:
    """One strange answer must not stop everything else for an hour."""

    async def work(clock: SimulatedClock) -> tuple[list[Reply], int, float]:
        server = Server(clock, capacity=0)
        server.retry_after = 3600.0
        client = ThrottledClient(server, limit=8, clock=clock, patience=300.0)
        replies = [await client.ask(ask_for()) for _ in range(3)]
        return replies, len(server.asked), clock.now()

    replies, asked, now = simulate(work(SimulatedClock()))
    assert all(isinstance(reply, Failed) and not reply.gone for reply in replies)
    assert [reply.retry_after for reply in replies] == [3600.0] * 3  # type: ignore[union-attr]
    assert asked == 3
    assert now < 300.0


@pytest.mark.parametrize("status", [429, 503])
def test_a_server_that_refuses_everything_is_asked_ever_less(status: int) -> None:
    async def work(clock: SimulatedClock) -> tuple[list[Reply], list[float]]:
        server = Server(clock, capacity=0)
        server.status = status
        client = ThrottledClient(server, limit=64, clock=clock)
        return await work_off(retrying(client, clock), 64), server.asked

    replies, asked = simulate(work(SimulatedClock()))
    assert all(isinstance(reply, Failed) and reply.gone for reply in replies)
    late = [moment for moment in asked if moment > 60.0]
    assert len(late) <= 12
    assert max(later - earlier for earlier, later in pairwise(late)) > 20.0
    assert max(asked) < 300.0


def test_one_request_at_a_time_is_the_least() -> None:
    async def work(clock: SimulatedClock) -> list[Reply]:
        server = Server(clock, capacity=1)
        client = ThrottledClient(server, limit=3, clock=clock)
        return await work_off(retrying(client, clock), 60, workers=3)

    assert all(isinstance(reply, Answer) for reply in simulate(work(SimulatedClock())))


@settings(max_examples=60)
@given(
    plan=st.lists(st.tuples(st.integers(0, 5), st.floats(0.0, 30.0)), max_size=40),
    capacity=st.integers(0, 4),
    retry_after=st.none() | st.floats(0.0, 20.0),
)
def test_whoever_gives_up_leaves_no_place_taken(
    plan: list[tuple[int, float]], capacity: int, retry_after: float | None
) -> None:
    """Callers that come, wait, are refused and are cut short at any moment."""

    async def work(clock: SimulatedClock) -> None:
        server = Server(clock, capacity=capacity)
        server.retry_after = retry_after
        client = ThrottledClient(server, limit=3, clock=clock, patience=1000.0)

        async def caller(start: int, patience: float) -> None:
            await asyncio.sleep(start)
            try:
                async with asyncio.timeout(patience):
                    await client.ask(ask_for())
            except TimeoutError:
                pass

        await asyncio.gather(*(caller(start, patience) for start, patience in plan))
        assert server.peak <= 3
        server.capacity, server.retry_after = 1000, None
        assert isinstance(await client.ask(ask_for()), Answer)
        assert client.limit >= 1
        assert client.has_room

    simulate(work(SimulatedClock()))
