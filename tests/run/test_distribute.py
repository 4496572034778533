from __future__ import annotations

import asyncio
import pickle
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

import harness
from harness.errors import HarnessError, InfrastructureError, ServerError
from harness.records.attempt import Attempt
from harness.records.plan import Plan, PlannedRequest
from harness.records.target import Generation
from harness.run import distribute as stage
from harness.run.distribute import BATCH, distribute
from harness.run.generate import Question
from harness.run.plan import plan
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
        assert len({sharding.group(ask) for ask in given[1]}) == len(given[1])
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
    lines, seen = asked(planned.asks, mock.url, cluster)
    assert [Attempt.model_validate_json(line) for line in lines] == seen
    assert {attempt.key for attempt in seen} == {ask.key for ask in planned.asks}
    assert all(attempt.status == "answered" for attempt in seen)
    assert max(cluster.batches) <= BATCH
    assert sum(cluster.batches) == len(planned.asks)


def test_a_server_that_is_gone_ends_it(planned: Plan) -> None:
    with pytest.raises(ServerError, match="the server is gone"):
        asked(planned.asks, "http://127.0.0.1:1/v1", OneWorker())


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
        asked(planned.asks, "http://127.0.0.1:1/v1", cluster)
    assert len(cluster.batches) == QUESTION.generation.concurrency


def test_another_version_on_a_node_is_refused(
    planned: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = (Endpoint(("http://127.0.0.1:1/v1",), None), QUESTION, "0.0.0", planned.asks, 1)
    (error,) = stage._work(*given)
    assert isinstance(error, InfrastructureError)
    assert f"a node has harness {harness.__version__}, this machine 0.0.0" in error.line
