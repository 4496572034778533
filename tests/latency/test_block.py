"""A block: what is asked and when is drawn once for every arm, and what came of it is kept."""

import asyncio
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.latency_arms import BASELINE, Behaviour
from benchmarks.latency_world import VirtualServer
from harness.client.protocol import ChatRequest, Reply
from harness.latency.block import LEAD, Asked, Due, orders, prime, requests, run_block
from harness.records.latency import ARMS, LatencySettings, Pace, Sample
from harness.records.load import Load
from harness.records.suite import Message
from harness.records.target import Generation
from tests.client.simulated import SimulatedClock, simulate

SAY = (Message(role="user", content="say"),)
ASKED = Asked(BASELINE, dict.fromkeys(range(100), SAY), Generation())
OPEN = Load(kind="poisson", rate=20.0)


def frozen(now: float) -> float:
    """A server that does nothing from the tenth second to the twelfth."""
    return 12.0 if 10.0 <= now < 12.0 else now


def every(seconds: float, count: int) -> list[Due]:
    return [Due(number % 100, seconds * (1 + number), uncounted=False) for number in range(count)]


def asked(load: Load, dues: list[Due]) -> tuple[Sample, ...]:
    async def work(clock: SimulatedClock) -> tuple[Sample, ...]:
        server = VirtualServer(clock, {BASELINE: Behaviour()}, seed=1, frozen=frozen)
        return await run_block(load, dues, ASKED, server, clock)

    return simulate(work(SimulatedClock()))


def ttft(samples: tuple[Sample, ...]) -> np.ndarray:
    return np.array([one.timing.chunks[0] for one in samples if one.timing is not None])


def test_a_freeze_of_two_seconds_is_seen_by_all_who_were_due_meanwhile() -> None:
    """The omission oracle: who waits for an answer before asking on sees it only once."""
    found = ttft(asked(OPEN, every(0.05, 400)))
    late = found[found > 0.7]
    assert 25 <= late.size <= 35  # due in the first 1.5 s of the freeze
    assert found.max() > 2.0
    assert np.quantile(found, 0.95) > 1.0
    closed = ttft(asked(Load(kind="single"), every(0.0, 60)))
    assert (closed > 0.7).sum() == 1


def test_an_open_load_is_due_when_it_was_drawn_and_a_closed_one_when_there_is_room() -> None:
    dues = every(0.05, 40)
    samples = asked(OPEN, dues)
    assert [sample.due for sample in samples] == [due.offset for due in dues]
    assert [sample.prompt for sample in samples] == [due.prompt for due in dues]
    single = asked(Load(kind="single"), every(0.0, 5))
    ends = [one.due + one.timing.done for one in single if one.timing is not None]
    assert [sample.due for sample in single[1:]] == pytest.approx(ends[:-1])


class Counting:
    """A client that says how many ask it at once."""

    def __init__(self, inner: VirtualServer) -> None:
        self.inner = inner
        self.now = self.most = 0
        self.asked: list[ChatRequest] = []

    async def ask(self, request: ChatRequest, *, intended: float | None = None) -> Reply:
        self.now += 1
        self.most = max(self.most, self.now)
        self.asked.append(request)
        try:
            return await self.inner.ask(request, intended=intended)
        finally:
            self.now -= 1


@pytest.mark.parametrize("at_once", [1, 3, 8])
def test_a_closed_load_keeps_as_many_under_way(at_once: int) -> None:
    async def work(clock: SimulatedClock) -> Counting:
        client = Counting(VirtualServer(clock, {BASELINE: Behaviour()}, seed=1))
        load = Load(kind="closed", concurrency=at_once)
        found = await run_block(load, every(0.0, 30), ASKED, client, clock)
        assert len(found) == 30
        return client

    assert simulate(work(SimulatedClock())).most == at_once


def test_nobody_is_late_from_the_start() -> None:
    async def work(clock: SimulatedClock) -> tuple[Sample, ...]:
        server = VirtualServer(clock, {BASELINE: Behaviour()}, seed=1)
        dues = [Due(0, 0.0, uncounted=True), *every(0.001, 20)]
        before = clock.now()
        found = await run_block(OPEN, dues, ASKED, server, clock)
        assert clock.now() - before > LEAD
        return found

    samples = simulate(work(SimulatedClock()))
    assert max(one.timing.sent for one in samples if one.timing) == pytest.approx(0.0, abs=1e-9)
    assert samples[0].uncounted


def test_a_failure_is_kept_and_not_asked_again() -> None:
    async def work(clock: SimulatedClock) -> tuple[tuple[Sample, ...], int]:
        client = Counting(VirtualServer(clock, {BASELINE: Behaviour(failing=1.0)}, seed=1))
        return await run_block(OPEN, every(0.05, 10), ASKED, client, clock), len(client.asked)

    samples, requests = simulate(work(SimulatedClock()))
    assert requests == 10
    assert [one.failure.status for one in samples if one.failure] == [500] * 10


def test_priming_shows_each_prompt_once_and_asks_for_one_token() -> None:
    async def work(clock: SimulatedClock) -> list[ChatRequest]:
        client = Counting(VirtualServer(clock, {BASELINE: Behaviour()}, seed=1))
        fixed = replace(ASKED, extra={"ignore_eos": True, "min_tokens": 64, "cache_salt": "a"})
        dues = [*every(0.05, 30), *every(0.05, 30)]
        assert len(await prime(dues, fixed, client, clock)) == 30
        return client.asked

    requests = simulate(work(SimulatedClock()))
    assert len(requests) == 30
    assert {request.max_tokens for request in requests} == {1}
    assert [dict(request.extra) for request in requests] == [{"cache_salt": "a"}] * 30


def test_ctrl_c_leaves_nothing_under_way() -> None:
    async def work(clock: SimulatedClock) -> int:
        client = Counting(VirtualServer(clock, {BASELINE: Behaviour()}, seed=1))
        block = asyncio.create_task(run_block(OPEN, every(0.05, 400), ASKED, client, clock))
        await asyncio.sleep(5.0)
        block.cancel()
        with pytest.raises(asyncio.CancelledError):
            await block
        return client.now

    assert simulate(work(SimulatedClock())) == 0


@given(seed=st.integers(0, 1000), rounds=st.integers(10, 60))
@settings(max_examples=40)
def test_every_arm_has_every_turn_equally_often(seed: int, rounds: int) -> None:
    found = orders(LatencySettings(seed=seed, rounds=rounds), 0)
    assert len(found) == rounds
    assert all(sorted(order) == sorted(ARMS) for order in found)
    counts = Counter(found)
    assert len(counts) == 6
    assert max(counts.values()) - min(counts.values()) <= 1


def test_the_order_is_drawn_by_the_seed_and_the_load() -> None:
    one = orders(LatencySettings(seed=1), 0)
    assert one == orders(LatencySettings(seed=1), 0)
    assert one != orders(LatencySettings(seed=2), 0)
    assert one != orders(LatencySettings(seed=1), 1)


def test_arrivals_are_those_of_a_poisson_process() -> None:
    chosen = LatencySettings(requests=40_000, rounds=10)
    dues = requests(chosen, 0, 0, Pace(load=OPEN, rate=20.0, opening=10), 500)
    gaps = np.diff([0.0, *(due.offset for due in dues)])
    assert (gaps > 0.0).all()
    assert np.mean(gaps) == pytest.approx(1 / 20, rel=0.05)
    assert np.std(gaps) == pytest.approx(1 / 20, rel=0.05)


def test_a_block_has_its_opening_and_its_share_of_the_requests() -> None:
    chosen = LatencySettings(requests=1001, rounds=20)
    dues = requests(chosen, 0, 3, Pace(load=OPEN, rate=20.0, opening=7), 500)
    assert [due.uncounted for due in dues] == [True] * 7 + [False] * 51
    assert dues == requests(chosen, 0, 3, Pace(load=OPEN, rate=20.0, opening=7), 500)
    assert dues != requests(chosen, 0, 4, Pace(load=OPEN, rate=20.0, opening=7), 500)


@given(prompts=st.integers(1, 80))
@settings(max_examples=30)
def test_prompts_come_again_only_when_all_have_come(prompts: int) -> None:
    dues = requests(LatencySettings(), 0, 0, Pace(load=OPEN, rate=20.0, opening=10), prompts)
    counts = Counter(due.prompt for due in dues)
    assert set(counts) <= set(range(prompts))
    assert max(counts.values()) - min(counts[n] for n in range(prompts)) <= 1


def test_without_a_rate_nothing_is_due_at_a_moment_of_its_own() -> None:
    load = Load(kind="closed", concurrency=4)
    dues = requests(LatencySettings(), 0, 0, Pace(load=load, opening=4), 10)
    assert {due.offset for due in dues} == {0.0}


def test_a_request_holds_the_fields_of_the_target_under_those_of_the_measurement() -> None:
    own = Generation(top_k=4, min_tokens=5, extra_body={"ignore_eos": False})
    one = replace(ASKED, generation=own, extra={"ignore_eos": True}).request(0)
    assert one.extra == {"top_k": 4, "min_tokens": 5, "ignore_eos": True}


def test_a_prompt_that_is_only_to_be_cached_asks_for_no_length() -> None:
    seen: list[ChatRequest] = []

    class Listening:
        async def ask(self, request: ChatRequest, *, intended: float | None = None) -> Reply:
            seen.append(request)
            return await VirtualServer(clock, {BASELINE: Behaviour()}, seed=1).ask(request)

    clock = SimulatedClock()
    asked_long = replace(ASKED, generation=Generation(min_tokens=5, top_k=4))
    simulate(prime(every(0.0, 1), asked_long, Listening(), clock))
    assert [(one.max_tokens, one.extra) for one in seen] == [(1, {"top_k": 4})]
