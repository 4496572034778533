"""Which of several servers is asked: simulated, nobody really waits."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.client.balance import DOWN_AFTER, BalancedClient
from harness.client.protocol import Answer, ChatRequest, Failed, Reply
from harness.client.retry import RetryingClient
from harness.client.throttle import ThrottledClient
from harness.errors import EvidenceError
from harness.records.attempt import Failure, FailureCause
from harness.records.target import Generation
from tests.client.conftest import ask_for
from tests.client.simulated import SimulatedClock, simulate
from tests.client.stand_in import Server
from tests.manual_clock import ManualClock
from tests.scripted_client import ScriptedClient

REFUSED = Failure(cause="connect", detail="refused")


def failure(cause: FailureCause, status: int | None = None) -> Failure:
    return Failure(cause=cause, detail="told to", status=status)


def composed(servers: list[Server], clock: SimulatedClock, **settings: Any) -> RetryingClient:
    generation = Generation(**settings)
    members = [
        ThrottledClient(server, limit=generation.concurrency, clock=clock) for server in servers
    ]
    return RetryingClient(BalancedClient(members, clock=clock), generation=generation, clock=clock)


async def work_off(client: RetryingClient, cases: int, workers: int) -> list[Reply]:
    """What came of the cases; ends with the first that says that the server is gone."""
    left = iter(range(cases))
    replies: list[Reply] = []
    tasks: list[asyncio.Task[None]] = []

    async def worker() -> None:
        for number in left:
            replies.append(await client.ask(ask_for(str(number))))
            if isinstance(replies[-1], Failed) and replies[-1].gone:
                for task in tasks:
                    task.cancel()

    tasks += [asyncio.create_task(worker()) for _ in range(workers)]
    await asyncio.wait(tasks)
    return replies


async def test_equals_are_asked_in_turns() -> None:
    clock = ManualClock()
    members = [ScriptedClient(lambda _: "ok", clock=clock) for _ in range(3)]
    client = BalancedClient(members, clock=clock)
    for number in range(9):
        await client.ask(ask_for(str(number)))
    texts = [[request.messages[0].content for request in member.requests] for member in members]
    assert texts == [["0", "3", "6"], ["1", "4", "7"], ["2", "5", "8"]]


def test_the_one_with_the_fewest_requests_under_way_is_asked() -> None:
    async def work(clock: SimulatedClock) -> tuple[int, int]:
        slow, quick = Server(clock, seconds=9.0), Server(clock, seconds=1.0)
        await work_off(composed([slow, quick], clock), 200, workers=10)
        return len(slow.asked), len(quick.asked)

    slow, quick = simulate(work(SimulatedClock()))
    assert slow + quick == 200
    assert 7 * slow < quick < 11 * slow


@pytest.mark.parametrize("servers", [1, 2, 4])
def test_what_is_under_way_grows_as_the_servers_do(servers: int) -> None:
    async def work(clock: SimulatedClock) -> tuple[list[int], float]:
        members = [Server(clock, capacity=8) for _ in range(servers)]
        replies = await work_off(composed(members, clock), 1600, workers=64)
        assert all(isinstance(reply, Answer) for reply in replies)
        return [server.peak for server in members], clock.now()

    peaks, seconds = simulate(work(SimulatedClock()))
    assert peaks == [8] * servers
    assert 200 / servers <= seconds <= 1.35 * 200 / servers


def test_a_dead_server_is_set_aside_and_used_again_when_it_is_back() -> None:
    async def work(clock: SimulatedClock) -> tuple[list[Reply], list[float], list[Server]]:
        servers = [Server(clock) for _ in range(3)]
        client = composed(servers, clock)

        async def die_and_come_back() -> None:
            await asyncio.sleep(10.5)
            servers[1].failure = REFUSED
            await asyncio.sleep(100.0)
            servers[1].failure = None

        fate = asyncio.create_task(die_and_come_back())
        replies = await work_off(client, 5000, workers=30)
        await fate
        return replies, servers[1].asked, servers

    replies, asked, servers = simulate(work(SimulatedClock()))
    assert len(replies) == sum(server.answered for server in servers) == 5000
    assert all(isinstance(reply, Answer) for reply in replies)
    while_dead = [moment for moment in asked if 10.5 <= moment < 110.5]
    # At most what was sent before the first failure was known, then one trial a rest.
    assert len(while_dead) <= 10 + 8
    assert len([moment for moment in while_dead if moment > 12.0]) <= 7
    back = [moment for moment in asked if moment > 145.0]
    assert len(back) > 100


@pytest.mark.parametrize(
    "first", [failure("reset"), failure("http", 500), failure("server_error"), failure("connect")]
)
def test_what_can_be_asked_again_goes_to_another_server(first: Failure) -> None:
    """Though the one that failed has less to do."""

    async def work(clock: SimulatedClock) -> tuple[Reply, int]:
        said = iter(["quick", first])
        broken = ScriptedClient(lambda _: next(said), clock=clock)
        sound = Server(clock, seconds=9.0)
        balanced = BalancedClient([broken, sound], clock=clock)
        under_way = [asyncio.create_task(balanced.ask(ask_for(str(n)))) for n in range(2)]
        await asyncio.sleep(1.0)
        client = RetryingClient(balanced, generation=Generation(), clock=clock)
        reply = await client.ask(ask_for("moved"))
        await asyncio.gather(*under_way)
        return reply, len(broken.requests)

    reply, asked = simulate(work(SimulatedClock()))
    assert isinstance(reply, Answer)
    assert (reply.text, reply.tries, asked) == ("ok", 2, 2)


@pytest.mark.parametrize(
    ("first", "failures"),
    [
        (failure("connect"), 1), (failure("stalled"), 1), (failure("reset"), 3),
        (failure("http", 502), 3), (failure("timeout"), 3),
    ],
)  # fmt: skip
async def test_set_aside_after(first: Failure, failures: int) -> None:
    clock = ManualClock()
    broken = ScriptedClient(lambda _: first, clock=clock)
    sound = ScriptedClient(lambda _: "ok", clock=clock)
    client = BalancedClient([broken, sound], clock=clock)
    for number in range(40):
        await client.ask(ask_for(str(number)))
    assert len(broken.requests) == failures


@pytest.mark.parametrize("cause", ["protocol", "wrong_model", "http"])
async def test_a_server_that_answers_wrongly_is_there(cause: FailureCause) -> None:
    clock = ManualClock()
    odd = ScriptedClient(lambda _: failure(cause, 400 if cause == "http" else None), clock=clock)
    client = BalancedClient([odd, ScriptedClient(lambda _: "ok", clock=clock)], clock=clock)
    for number in range(40):
        await client.ask(ask_for(str(number)))
    assert len(odd.requests) == 20


async def test_where_all_are_aside_the_one_that_failed_first_is_asked() -> None:
    clock = ManualClock()
    order: list[int] = []

    def script(number: int) -> Any:
        def say(_: ChatRequest) -> Failure:
            order.append(number)
            clock.advance(0.01)
            return REFUSED

        return say

    members = [ScriptedClient(script(number), clock=clock) for number in range(3)]
    client = BalancedClient(members, clock=clock)
    for number in range(9):
        await client.ask(ask_for(str(number)))
    assert order == [0, 1, 2] * 3


@pytest.mark.parametrize("cause", ["connect", "reset", "server_error"])
@pytest.mark.parametrize("servers", [1, 3])
def test_servers_that_are_down_for_good_are_gone_soon(servers: int, cause: FailureCause) -> None:
    async def work(clock: SimulatedClock) -> tuple[list[Reply], float]:
        members = [Server(clock, seconds=0.1) for _ in range(servers)]
        client = composed(members, clock)
        await work_off(client, 640, workers=64)
        began = clock.now()
        for member in members:
            member.failure = failure(cause)
        return await work_off(client, 10_000, workers=64), clock.now() - began

    replies, seconds = simulate(work(SimulatedClock()))
    gone = [reply for reply in replies if isinstance(reply, Failed) and reply.gone]
    assert len(gone) == 1
    assert DOWN_AFTER <= seconds <= DOWN_AFTER + 5.0
    assert len(replies) < 400


def test_servers_that_fall_silent_are_gone_after_the_chunk_timeout() -> None:
    async def work(clock: SimulatedClock) -> tuple[list[bool], float]:
        member = Server(clock)
        client = composed([member], clock)
        await work_off(client, 64, workers=64)
        began, member.hangs = clock.now(), True
        replies = await work_off(client, 640, workers=64)
        return [reply.gone for reply in replies if isinstance(reply, Failed)], clock.now() - began

    gone, seconds = simulate(work(SimulatedClock()))
    assert gone.count(True) == 1
    assert seconds == pytest.approx(60.0, abs=0.1)


def test_servers_that_never_come_to_an_end_are_gone_after_the_case_timeout() -> None:
    async def work(clock: SimulatedClock) -> tuple[list[bool], float]:
        member = Server(clock, seconds=100_000.0)
        replies = await work_off(composed([member], clock), 640, workers=8)
        return [reply.gone for reply in replies if isinstance(reply, Failed)], clock.now()

    gone, seconds = simulate(work(SimulatedClock()))
    assert gone == [False, False, False, True]
    assert seconds == pytest.approx(300.0, abs=0.1)


def test_nothing_is_gone_while_an_older_request_may_still_be_answered() -> None:
    async def work(clock: SimulatedClock) -> tuple[Reply, list[Reply]]:
        member = Server(clock, seconds=50.0)
        client = composed([member], clock)
        old = asyncio.create_task(client.ask(ask_for("old")))
        await asyncio.sleep(1.0)
        member.failure = failure("reset")
        replies = await work_off(client, 40, workers=8)
        assert clock.now() > DOWN_AFTER + 2.0
        return await old, replies

    old, replies = simulate(work(SimulatedClock()))
    assert isinstance(old, Answer)
    assert not any(reply.gone for reply in replies if isinstance(reply, Failed))


def test_a_server_that_is_held_back_does_not_keep_the_other_from_work() -> None:
    async def work(clock: SimulatedClock) -> tuple[list[Reply], float]:
        busy, free = Server(clock, capacity=0), Server(clock)
        busy.retry_after = 250.0
        replies = await work_off(composed([busy, free], clock), 100, workers=2)
        return replies, clock.now()

    replies, seconds = simulate(work(SimulatedClock()))
    assert all(isinstance(reply, Answer) for reply in replies)
    assert seconds < 110.0


@settings(max_examples=80)
@given(data=st.data())
def test_whatever_servers_do_every_case_ends_and_none_is_doubled(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 4))
    fate = st.tuples(
        st.floats(0.0, 40.0),
        st.integers(0, count - 1),
        st.sampled_from([None, REFUSED, failure("reset"), failure("http", 500)]),
        st.booleans(),
        st.integers(0, 9),
    )
    fates = data.draw(st.lists(fate, max_size=12))

    async def work(clock: SimulatedClock) -> None:
        servers = [Server(clock, capacity=9) for _ in range(count)]
        client = composed(servers, clock, retries=2, case_timeout=200.0)

        async def befall(
            at: float, which: int, failing: Failure | None, hangs: bool, capacity: int
        ) -> None:
            await asyncio.sleep(at)
            server = servers[which]
            server.failure, server.hangs, server.capacity = failing, hangs, capacity

        troubles = [asyncio.create_task(befall(*one)) for one in fates]
        replies = await asyncio.gather(*(client.ask(ask_for(str(n))) for n in range(60)))
        answered = sum(isinstance(reply, Answer) for reply in replies)
        last = max(server.last_answered for server in servers)
        assert clock.now() <= last + 201.0
        # An answer that a case's timeout cut off is nobody's; no other is.
        assert answered == sum(server.answered for server in servers)
        assert all(server.under_way == 0 for server in servers)
        assert sum(reply.tries for reply in replies) >= 60
        await asyncio.gather(*troubles)
        for server in servers:
            server.failure, server.hangs, server.capacity = None, False, 9
            server.seconds = 0.1
        await asyncio.sleep(70.0)
        assert isinstance(await client.ask(ask_for("after")), Answer)

    simulate(work(SimulatedClock()))


async def test_one_that_was_away_is_vouched_for_before_it_is_asked_again() -> None:
    clock = ManualClock()
    is_down = [True]
    away = ScriptedClient(lambda _: REFUSED if is_down[0] else "back", clock=clock)
    sound = ScriptedClient(lambda _: "ok", clock=clock)
    asked: list[tuple[bool, str]] = []

    async def vouch(client: Any, model: str) -> Failure | None:
        asked.append((client is away, model))
        return REFUSED if is_down[0] else None

    client = BalancedClient([away, sound], clock=clock, vouch=vouch)
    for number in range(20):
        clock.advance(100.0)
        await client.ask(ask_for(str(number)))
    assert len(away.requests) == 1
    # Only where a trial was due: the first two requests came before it was known to be away.
    assert asked == [(True, "mock")] * len(asked)
    assert 17 <= len(asked) <= 19
    is_down[0] = False
    for number in range(20):
        clock.advance(100.0)
        await client.ask(ask_for(str(number)))
    assert len(away.requests) >= 10
    assert len(asked) <= 20


async def test_a_voucher_that_finds_it_changed_is_heard() -> None:
    clock = ManualClock()

    async def vouch(client: Any, model: str) -> Failure | None:
        raise EvidenceError("changed")

    away = ScriptedClient(lambda _: REFUSED, clock=clock)
    sound = ScriptedClient(lambda _: "ok", clock=clock)
    client = BalancedClient([away, sound], clock=clock, vouch=vouch)
    await client.ask(ask_for())
    clock.advance(100.0)
    with pytest.raises(EvidenceError, match="changed"):
        await client.ask(ask_for())


def test_one_that_goes_and_comes_back_is_told_once_each_time() -> None:
    async def work(clock: SimulatedClock) -> list[tuple[int, Failure | None]]:
        servers = [Server(clock), Server(clock), Server(clock)]
        heard: list[tuple[int, Failure | None]] = []
        client = BalancedClient(
            servers,
            clock=clock,
            on_change=lambda member, why: heard.append((servers.index(member), why)),  # type: ignore[arg-type]
        )
        for failed in (REFUSED, None, failure("reset"), None):
            servers[1].failure = failed
            for number in range(100):  # longer than the longest rest
                await asyncio.gather(*(client.ask(ask_for(f"{number} {n}")) for n in range(6)))
        return heard

    away = (1, REFUSED), (1, None), (1, failure("reset")), (1, None)
    assert tuple(simulate(work(SimulatedClock()))) == away


def test_what_the_end_of_a_run_cuts_short_is_not_told() -> None:
    async def work(clock: SimulatedClock) -> int:
        heard: list[object] = []
        servers = [Server(clock, seconds=9.0), Server(clock, seconds=9.0)]
        client = BalancedClient(servers, clock=clock, on_change=lambda *told: heard.append(told))
        tasks = [asyncio.create_task(client.ask(ask_for(str(number)))) for number in range(20)]
        await asyncio.sleep(1.0)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        return len(heard)

    assert simulate(work(SimulatedClock())) == 0


async def test_a_server_that_is_alone_is_never_told_to_be_set_aside() -> None:
    clock, heard = ManualClock(), list[object]()
    alone = [ScriptedClient(lambda _: REFUSED, clock=clock)]
    client = BalancedClient(alone, clock=clock, on_change=lambda *told: heard.append(told))
    for number in range(5):
        await client.ask(ask_for(str(number)))
    assert heard == []


def test_what_was_sent_before_it_was_set_aside_does_not_set_it_aside_again() -> None:
    async def work(clock: SimulatedClock) -> list[int]:
        servers = [Server(clock, seconds=0.1), Server(clock, seconds=0.1)]
        client = BalancedClient(servers, clock=clock)
        servers[0].hangs = True
        stalling = [asyncio.create_task(client.ask(ask_for(f"early {n}"))) for n in range(2)]
        await asyncio.sleep(5.0)
        stalling += [asyncio.create_task(client.ask(ask_for(f"late {n}"))) for n in range(4)]
        await asyncio.sleep(5.0)
        servers[0].hangs = False
        await asyncio.sleep(52.0)  # the early one stalled, the late ones have not yet
        assert isinstance(await client.ask(ask_for("trial")), Answer)
        await asyncio.gather(*stalling)
        before = [len(server.asked) for server in servers]
        for number in range(10):
            await client.ask(ask_for(str(number)))
        return [len(server.asked) - old for server, old in zip(servers, before, strict=True)]

    assert simulate(work(SimulatedClock())) == [5, 5]


def test_a_late_answer_to_what_was_sent_before_does_not_take_it_back() -> None:
    async def work(clock: SimulatedClock) -> list[float]:
        away, sound = Server(clock, seconds=20.0), Server(clock, seconds=0.1)
        client = BalancedClient([away, sound], clock=clock)
        old = asyncio.create_task(client.ask(ask_for("old")))
        await asyncio.sleep(5.0)
        away.failure = REFUSED
        for number in range(150):
            await asyncio.gather(*(client.ask(ask_for(f"{number} {n}")) for n in range(2)))
            await asyncio.sleep(0.1)
        assert isinstance(await old, Answer)
        for number in range(40):
            await asyncio.gather(*(client.ask(ask_for(f"{number} {n}")) for n in range(2)))
            await asyncio.sleep(0.1)
        return [moment for moment in away.asked if moment >= 20.0]

    assert len(simulate(work(SimulatedClock()))) <= 2  # the trials that were due anyway


def test_what_stalled_while_others_were_answered_counts_from_the_last_answer() -> None:
    async def work(clock: SimulatedClock) -> Reply:
        server = Server(clock, seconds=0.5)
        client = BalancedClient([server], clock=clock)
        server.hangs = True
        stalls = asyncio.create_task(client.ask(ask_for("stalls")))
        await asyncio.sleep(0.0)
        server.hangs = False
        while clock.now() < 59.0:
            assert isinstance(await client.ask(ask_for()), Answer)
        server.failure = failure("reset")
        for _ in range(4):
            await client.ask(ask_for())
        return await stalls

    reply = simulate(work(SimulatedClock()))
    assert isinstance(reply, Failed)
    assert (reply.failure.cause, reply.gone) == ("stalled", False)
