"""Money is never spent beyond the budget, and what is under way is not lost."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.client.limits import Budget
from harness.client.protocol import ChatRequest
from harness.errors import BudgetSpent
from harness.records.attempt import Failure, Usage
from harness.records.cost import Metered, Price
from tests.client.simulated import simulate
from tests.client.test_meter import Server, build, chat, worst
from tests.manual_clock import ManualClock

A_TOKEN = Price(input=1e6, output=1e6)  # a token costs 1
NOTHING = Usage(prompt_tokens=0, completion_tokens=0)


def test_by_the_token() -> None:
    budget = Budget(100.0, Price(input=2e6, output=5e6), replicas=3, clock=ManualClock())
    usage = Usage(prompt_tokens=10, completion_tokens=6)
    assert budget.needs(usage) == 50.0
    first, _ = budget.reserve(usage), budget.reserve(usage)
    assert not budget.fits(Usage(prompt_tokens=1, completion_tokens=0))
    budget.settle(first, 20.0, 1.0)
    assert budget.spent == 20.0
    assert budget.fits(Usage(prompt_tokens=0, completion_tokens=6))
    assert not budget.fits(Usage(prompt_tokens=1, completion_tokens=6))


def test_by_the_hour_all_replicas_cost_while_nobody_asks() -> None:
    clock = ManualClock(start=500.0)
    budget = Budget(10.0, Price(gpu_hour=2.0), replicas=3, clock=clock)
    assert budget.fits(NOTHING)
    clock.advance(3600.0)
    assert budget.spent == pytest.approx(6.0)
    budget.settle(budget.reserve(NOTHING), 0.0, 1800.0)
    assert budget.needs(NOTHING) == pytest.approx(3.0)
    assert budget.fits(NOTHING)
    clock.advance(1800.0)
    assert not budget.fits(NOTHING)


def test_a_budget_may_be_spent_to_the_last() -> None:
    budget = Budget(0.3, Price(input=1e5, output=0.0), replicas=1, clock=ManualClock())
    one = Usage(prompt_tokens=1, completion_tokens=0)
    for _ in range(3):
        assert budget.fits(one)
        budget.settle(budget.reserve(one), budget.cost(one), 1.0)
    assert not budget.fits(one)


@settings(max_examples=100)
@given(
    st.lists(
        st.tuples(
            st.integers(1, 30),
            st.sampled_from([0.0, 1.0, 7.0]),
            st.none() | st.integers(0, 9),
        ),
        min_size=1,
        max_size=30,
    ),
    st.integers(30, 300),
    st.integers(1, 8),
)
def test_no_order_of_answers_spends_more_or_breaks_off_what_is_under_way(
    plan: list[tuple[int, float, int | None]], limit: int, workers: int
) -> None:
    charged: list[int] = []
    stopped: list[bool] = []

    def says(request: ChatRequest) -> tuple[float, Usage | None]:
        _, seconds, used = plan[int(request.messages[0].content)]
        charged.append(worst(request) if used is None else used)
        if used is None:
            return seconds, None
        return seconds, Usage(prompt_tokens=used, completion_tokens=0)

    server = Server(says)

    async def work() -> None:
        client = build(server, Metered(price=A_TOKEN, max_cost=limit))
        waiting = iter(range(len(plan)))

        async def worker() -> None:
            for number in waiting:
                await client.ask(chat(str(number), plan[number][0]))

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(workers):
                    group.create_task(worker())
        except* BudgetSpent:
            stopped.append(True)

    simulate(work())
    assert sum(charged) <= limit
    assert server.finished == len(server.sent)
    unsent = [worst(chat(str(n), plan[n][0])) for n in range(len(server.sent), len(plan))]
    assert bool(stopped) == bool(unsent)
    if unsent:
        assert sum(charged) + unsent[0] > limit, "the next one would have fitted"


def test_the_line_says_what_is_spent_and_what_to_do() -> None:
    server = Server(lambda _: (0.0, Usage(prompt_tokens=9, completion_tokens=6)))

    async def work() -> None:
        client = build(server, Metered(price=A_TOKEN, max_cost=40.0))
        for _ in range(3):
            await client.ask(chat("hi", 10))

    with pytest.raises(BudgetSpent) as caught:
        simulate(work())
    assert caught.value.line == (
        "servers.main: max_cost is 40: 30 is spent and the next request may cost 19 - finished "
        "answers are kept; run the same command again to spend as much again, or raise max_cost"
    )
    assert caught.value.exit_code == 3
    assert len(server.sent) == 2


def test_by_the_hour_nothing_is_sent_that_may_end_after_the_last_of_it() -> None:
    server = Server(lambda _: (3.0, None))

    async def work() -> None:
        client = build(server, Metered(price=Price(gpu_hour=3600.0), max_cost=10.0))
        for _ in range(9):
            await client.ask(chat())

    with pytest.raises(BudgetSpent, match="9 is spent and the next request may cost 3"):
        simulate(work())
    assert server.sent == [0.0, 3.0, 6.0]


@pytest.mark.parametrize(
    ("failure", "sent"),
    [
        (Failure(cause="connect", detail=""), 5),
        (Failure(cause="http", detail="", status=400), 5),
        (Failure(cause="stalled", detail=""), 2),
        (Failure(cause="protocol", detail=""), 2),
    ],
)
def test_a_failure_costs_its_worst_unless_nothing_can_have_been_generated(
    failure: Failure, sent: int
) -> None:
    server = Server(lambda _: (0.0, failure))

    async def work() -> None:
        client = build(server, Metered(price=A_TOKEN, max_cost=40.0))
        for _ in range(5):
            await client.ask(chat("hi", 10))

    with contextlib.suppress(BudgetSpent):
        simulate(work())
    assert len(server.sent) == sent


def test_a_try_that_is_broken_off_costs_its_worst() -> None:
    server = Server(lambda _: (100.0, None))

    async def work() -> None:
        client = build(server, Metered(price=A_TOKEN, max_cost=40.0))
        for _ in range(2):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(1.0):
                    await client.ask(chat("hi", 10))
        await client.ask(chat("hi", 10))

    with pytest.raises(BudgetSpent):
        simulate(work())
    assert len(server.sent) == 2
