from __future__ import annotations

import asyncio
import pickle
from collections import Counter
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import harness
from harness.errors import HarnessError, InfrastructureError, ServerError
from harness.records.attempt import Attempt
from harness.records.plan import Plan, PlannedRequest
from harness.records.target import Generation
from harness.run import distribute as stage
from harness.run.distribute import BATCH, distribute, shards
from harness.run.generate import Question
from harness.run.plan import plan
from harness.run.ray_cluster import shares
from harness.targets.endpoint import Endpoint
from tests.builders import identity, shop
from tests.conftest import ThreadedMock

QUESTION = Question("base", Generation(concurrency=6, retries=0, connect_timeout=1))


class OneWorker:
    """A cluster of one worker in a thread of this process; what it is given has been pickled."""

    def __init__(self) -> None:
        self.batches: list[int] = []

    async def over(self, asks: Any, sharding: Any, work: Any, share: int) -> AsyncGenerator[Any]:
        asks = list(asks)
        given = pickle.loads(pickle.dumps((work, asks)))
        assert not [ask for ask in given[1] if ask.case.expect], "expectations stay here"
        assert len(list(sharding.cut(given[1], size=1))) == len(given[1])
        for batch in await asyncio.to_thread(lambda: list(given[0](given[1], share))):
            if isinstance(batch, HarnessError):
                raise batch
            self.batches.append(len(batch))
            for result in batch:
                assert sharding.key_of_result(result) in {ask.key for ask in asks}
                yield result


class Lines:
    def __init__(self) -> None:
        self.lines: list[str] = []

    def append(self, line: str) -> None:
        self.lines.append(line)


@pytest.fixture
def planned(tmp_path: Path) -> Plan:
    project, suites = shop(tmp_path)
    return plan(project, "base", suites, identity("base"))


def asked(
    asks: tuple[PlannedRequest, ...], url: str, cluster: OneWorker
) -> tuple[list[str], list[Attempt]]:
    journal, seen = Lines(), []
    asyncio.run(
        distribute(
            asks,
            QUESTION,
            Endpoint((url,), None),
            cluster,
            journal,
            lambda _, attempt: seen.append(attempt),
        )  # type: ignore[arg-type]
    )
    return journal.lines, seen


def test_every_ask_has_a_line_and_is_seen(planned: Plan, mock: ThreadedMock) -> None:
    cluster = OneWorker()
    lines, seen = asked(planned.requests, mock.url, cluster)
    assert [Attempt.model_validate_json(line) for line in lines] == seen
    assert {attempt.key for attempt in seen} == {ask.key for ask in planned.requests}
    assert all(attempt.status == "answered" for attempt in seen)
    assert max(cluster.batches) <= BATCH
    assert sum(cluster.batches) == len(planned.requests)


def test_a_server_that_is_gone_ends_it(planned: Plan) -> None:
    with pytest.raises(ServerError, match="the server is gone"):
        asked(planned.requests, "http://127.0.0.1:1/v1", OneWorker())


def test_failures_in_small_shards_end_it_too(
    planned: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No shard alone has as many in a row as say that a server is gone."""

    class Singly(OneWorker):
        async def over(self, asks: Any, *rest: Any) -> AsyncGenerator[Any]:
            for ask in asks:
                async for result in super().over([ask], *rest):
                    yield result

    cluster = Singly()
    with pytest.raises(ServerError, match="the server is gone"):
        asked(planned.requests, "http://127.0.0.1:1/v1", cluster)
    assert len(cluster.batches) == QUESTION.generation.concurrency


def test_another_version_on_a_node_is_refused(
    planned: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = (Endpoint(("http://127.0.0.1:1/v1",), None), QUESTION, "0.0.0", planned.requests, 1)
    (error,) = stage._work(*given)
    assert isinstance(error, InfrastructureError)
    assert f"a node has harness {harness.__version__}, this machine 0.0.0" in error.line


GROUPS = st.lists(st.integers(0, 20), max_size=120)
SIZES = st.integers(1, 30)
WORKERS = st.integers(1, 6)


def cut(groups: list[int], size: int, at_least: int, window: int = 1000) -> list[list[int]]:
    """Shards of the positions in `groups`."""
    places = range(len(groups))
    return list(shards(places, lambda at: groups[at], size=size, at_least=at_least, window=window))


@given(GROUPS, SIZES, WORKERS, st.integers(1, 40))
def test_every_item_is_in_one_shard_and_none_is_empty(
    groups: list[int], size: int, workers: int, window: int
) -> None:
    made = cut(groups, size, workers, window)
    assert sorted(place for shard in made for place in shard) == list(range(len(groups)))
    assert all(shard and shard == sorted(shard) for shard in made)


@given(GROUPS, SIZES, WORKERS)
def test_a_group_is_in_one_shard(groups: list[int], size: int, workers: int) -> None:
    homes = Counter(
        group for shard in cut(groups, size, workers) for group in {groups[at] for at in shard}
    )
    assert set(homes.values()) <= {1}


@given(GROUPS, SIZES, WORKERS)
def test_shards_differ_by_no_more_than_the_largest_group(
    groups: list[int], size: int, workers: int
) -> None:
    made = cut(groups, size, workers)
    if made:
        loads = [len(shard) for shard in made]
        assert max(loads) - min(loads) <= max(Counter(groups).values())
        assert len(made) == min(max(-(-len(groups) // size), workers), len(set(groups)))


@given(GROUPS, SIZES, WORKERS)
def test_the_same_items_are_cut_the_same_way(groups: list[int], size: int, workers: int) -> None:
    assert cut(groups, size, workers) == cut(groups, size, workers)


def test_a_stream_is_read_no_further_than_a_window() -> None:
    read = []

    def stream():
        for number in range(10_000):
            read.append(number)
            yield number

    first = next(shards(stream(), lambda item: item, size=10, window=100))
    assert len(first) == 10
    assert len(read) == 100


@given(st.integers(1, 500), st.integers(1, 64))
def test_shares_add_up_to_the_whole_and_none_is_nothing(total: int, workers: int) -> None:
    found = shares(total, workers)
    assert sum(found) == total
    assert len(found) == min(total, workers)
    assert min(found) >= 1
    assert max(found) - min(found) <= 1
