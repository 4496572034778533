"""What is asked again, after how long, and for how long at most; nobody really waits."""

import asyncio
from itertools import pairwise

import pytest

from harness.client.dialect_client import DialectClient
from harness.client.protocol import Answer, ChatRequest, Failed, RequestContext
from harness.client.retry import FIRST_DELAY, LONGEST_DELAY, MOST_REFUSALS, RetryingClient
from harness.records.attempt import Failure, FailureCause
from harness.records.target import Generation
from tests.dialects import openai_dialect
from tests.manual_clock import ManualClock
from tests.mock_server import MockReply, MockServer
from tests.scripted_client import Line, ScriptedClient


def failure(cause: FailureCause, status: int | None = None) -> Failure:
    return Failure(cause=cause, detail="told to", status=status)


AGAIN = [
    failure("connect"),
    failure("reset"),
    failure("server_error"),
    failure("server_error", 500),
    *(failure("http", status) for status in (408, 429, 500, 502, 503, 504)),
]
AT_ONCE = [
    failure("timeout"),
    failure("stalled"),
    failure("protocol"),
    failure("wrong_model"),
    failure("server_error", 400),
    *(failure("http", status) for status in (302, 400, 401, 403, 404, 413, 422)),
]


def name(one: Failure) -> str:
    return f"{one.cause}-{one.status}"


@pytest.mark.parametrize("first", AGAIN, ids=name)
async def test_asked_again(first: Failure, request_hi: ChatRequest) -> None:
    clock = ManualClock()
    inner = ScriptedClient([first, first, "yes"], clock=clock)
    reply = await RetryingClient(inner, generation=Generation(), clock=clock).ask(request_hi)
    assert isinstance(reply, Answer)
    assert (reply.text, reply.tries) == ("yes", 3)


@pytest.mark.parametrize("first", AT_ONCE, ids=name)
async def test_fails_at_once(first: Failure, request_hi: ChatRequest) -> None:
    clock = ManualClock()
    inner = ScriptedClient([first, "yes"], clock=clock)
    reply = await RetryingClient(inner, generation=Generation(), clock=clock).ask(request_hi)
    assert isinstance(reply, Failed)
    assert (reply.failure, reply.tries, clock.now()) == (first, 1, 0.0)


async def test_exhausted_it_is_the_last_failure(request_hi: ChatRequest) -> None:
    clock = ManualClock()
    script = [failure("connect"), failure("reset"), failure("http", 502)]
    inner = ScriptedClient(script, clock=clock)
    generation = Generation(retries=2)
    reply = await RetryingClient(inner, generation=generation, clock=clock).ask(request_hi)
    assert isinstance(reply, Failed)
    assert (reply.failure, reply.tries) == (failure("http", 502), 3)


@pytest.mark.parametrize("status", [429, 503])
async def test_a_busy_server_is_asked_on_within_the_case_whatever_the_retries(
    status: int, request_hi: ChatRequest
) -> None:
    clock = ManualClock()
    script = [failure("http", status)] * 9 + [failure("reset"), "yes"]
    inner = ScriptedClient(script, clock=clock)
    generation = Generation(retries=1, case_timeout=1000.0)
    reply = await RetryingClient(inner, generation=generation, clock=clock).ask(request_hi)
    assert isinstance(reply, Answer)
    assert (reply.text, reply.tries) == ("yes", 11)


async def test_a_server_that_only_refuses_for_a_whole_case_is_gone(
    request_hi: ChatRequest,
) -> None:
    clock = ManualClock()
    inner = ScriptedClient(lambda _: failure("http", 429), clock=clock)
    generation = Generation(retries=0, case_timeout=100.0)
    reply = await RetryingClient(inner, generation=generation, clock=clock).ask(request_hi)
    assert isinstance(reply, Failed)
    assert (reply.failure.status, reply.gone) == (429, True)
    assert clock.now() < 100.0


async def test_a_server_that_answers_others_meanwhile_is_not_gone(
    request_hi: ChatRequest,
) -> None:
    clock = ManualClock()
    refuses = iter([True, False] + [True] * 1000)
    inner = ScriptedClient(lambda _: failure("http", 429) if next(refuses) else "yes", clock=clock)
    client = RetryingClient(inner, generation=Generation(case_timeout=100.0), clock=clock)
    refused, answered = await asyncio.gather(client.ask(request_hi), client.ask(request_hi))
    assert isinstance(answered, Answer)
    assert isinstance(refused, Failed)
    assert (refused.failure.status, refused.gone) == (429, False)


async def test_what_is_gone_is_not_asked_again(request_hi: ChatRequest) -> None:
    clock = ManualClock()
    gone = Failed(failure("connect"), None, 1, gone=True)
    inner = ScriptedClient([gone, "yes"], clock=clock)
    reply = await RetryingClient(inner, generation=Generation(), clock=clock).ask(request_hi)
    assert isinstance(reply, Failed)
    assert (reply.gone, reply.tries, clock.now()) == (True, 1, 0.0)


async def test_no_retries(request_hi: ChatRequest) -> None:
    clock = ManualClock()
    inner = ScriptedClient([failure("reset")], clock=clock)
    client = RetryingClient(inner, generation=Generation(retries=0), clock=clock)
    assert (await client.ask(request_hi)).tries == 1


class Sleeps(ManualClock):
    def __init__(self) -> None:
        super().__init__()
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await super().sleep(seconds)


async def delays(seed: int, request: ChatRequest) -> list[float]:
    clock = Sleeps()
    inner = ScriptedClient(lambda _: failure("reset"), clock=clock)
    generation = Generation(retries=12, case_timeout=1e6)
    await RetryingClient(inner, generation=generation, clock=clock, seed=seed).ask(request)
    return clock.slept


async def test_delays_grow_with_jitter_up_to_a_ceiling(request_hi: ChatRequest) -> None:
    runs = [await delays(seed, request_hi) for seed in range(200)]
    ceilings = [max(column) for column in zip(*runs, strict=True)]
    for ceiling, expected in zip(ceilings, [0.5, 1, 2, 4, 8, 16] + [30] * 6, strict=True):
        assert 0.9 * expected < ceiling <= expected
    assert min(min(run) for run in runs) < 0.1 * FIRST_DELAY
    assert max(ceilings) <= LONGEST_DELAY
    assert await delays(7, request_hi) == runs[7]
    assert all(a != b for a, b in pairwise(runs))


async def test_retry_after_is_waited_for(request_hi: ChatRequest) -> None:
    clock = Sleeps()
    refused = Failed(failure("http", 429), None, 1, retry_after=20.0)
    inner = ScriptedClient([refused, "yes"], clock=clock)
    reply = await RetryingClient(inner, generation=Generation(), clock=clock).ask(request_hi)
    assert isinstance(reply, Answer)
    assert 20.0 <= clock.slept[0] <= 20.0 + FIRST_DELAY


async def test_a_retry_after_beyond_the_case_ends_it(request_hi: ChatRequest) -> None:
    clock = Sleeps()
    refused = Failed(failure("http", 429), None, 1, retry_after=3600.0)
    inner = ScriptedClient([refused, "yes"], clock=clock)
    reply = await RetryingClient(inner, generation=Generation(), clock=clock).ask(request_hi)
    assert isinstance(reply, Failed)
    assert (reply.failure.status, reply.tries, clock.slept) == (429, 1, [])


async def test_the_case_ends_in_its_time_however_many_retries(request_hi: ChatRequest) -> None:
    clock = ManualClock()
    inner = ScriptedClient(lambda _: failure("reset"), clock=clock)
    generation = Generation(retries=10_000, case_timeout=100.0)
    reply = await RetryingClient(inner, generation=generation, clock=clock).ask(request_hi)
    assert isinstance(reply, Failed)
    assert reply.failure.cause == "reset"
    assert clock.now() < 100.0


async def test_a_hung_try_is_ended_by_the_case_timeout(request_hi: ChatRequest) -> None:
    class Hangs:
        async def send(self, request: ChatRequest, context: RequestContext) -> Answer:
            await asyncio.Event().wait()
            raise AssertionError

    clock = ManualClock()
    generation = Generation(case_timeout=0.05)
    reply = await RetryingClient(Hangs(), generation=generation, clock=clock).ask(request_hi)
    assert isinstance(reply, Failed)
    assert reply.failure.cause == "timeout"


async def test_times_count_from_the_first_intention(request_hi: ChatRequest) -> None:
    clock = Sleeps()
    inner = ScriptedClient([failure("reset"), Line("yes", first=0.25)], clock=clock)
    client = RetryingClient(inner, generation=Generation(), clock=clock)
    clock.advance(10.0)
    reply = await client.ask(request_hi, intended=8.0)
    assert isinstance(reply, Answer)
    waited = clock.slept[0]
    assert reply.timing.sent == pytest.approx(2.0 + waited)
    assert reply.timing.ttft == pytest.approx(2.25 + waited)


async def test_over_real_sockets(request_hi: ChatRequest, generation: Generation) -> None:
    clock = ManualClock()
    said = iter(
        [
            MockReply("x", fault="reset"),
            MockReply("a b", fault="reset_midstream"),
            MockReply("busy", status=429, headers={"Retry-After": "30"}),
            MockReply("whole"),
        ]
    )
    async with (
        MockServer(lambda _: next(said)) as server,
        DialectClient(
            openai_dialect(server.url, None), generation=generation, clock=clock
        ) as inner,
    ):
        reply = await RetryingClient(inner, generation=generation, clock=clock).ask(request_hi)
    assert isinstance(reply, Answer)
    assert (reply.text, reply.tries, len(server.requests)) == ("whole", 4, 4)
    assert clock.now() >= 30.0


async def test_each_try_that_brought_nothing_is_told_with_its_cause(
    request_hi: ChatRequest,
) -> None:
    clock = ManualClock()
    script = [failure("http", 429), failure("reset"), "yes"]
    inner = ScriptedClient(script, clock=clock)
    reply = await RetryingClient(inner, generation=Generation(), clock=clock).ask(request_hi)
    assert (reply.tries, reply.retried) == (3, ("429", "reset"))


async def test_refusals_of_one_case_have_a_bound_whatever_time_it_has(
    request_hi: ChatRequest,
) -> None:
    clock = ManualClock()
    refused = Failed(failure("http", 429), None, 1, retry_after=0.0)
    inner = ScriptedClient(lambda _: refused, clock=clock)
    generation = Generation(retries=0, case_timeout=1e9)
    reply = await RetryingClient(inner, generation=generation, clock=clock).ask(request_hi)
    assert isinstance(reply, Failed)
    assert (reply.failure.status, reply.tries) == (429, MOST_REFUSALS + 1)
