"""Send a plan's requests, cut into shards, to a server from the workers of a cluster."""

from __future__ import annotations

import heapq
import json
import math
import queue
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from itertools import islice
from time import monotonic
from typing import TypeVar

from harness.clock import SYSTEM_CLOCK
from harness.config import Project
from harness.errors import HarnessError, InfrastructureError, UsageError
from harness.event_loop import run_async
from harness.records.attempt import Attempt
from harness.records.plan import PlannedRequest
from harness.records.server import ManagedServer, RemoteServer
from harness.run.generate import Journal, Question, Watch, generate
from harness.run.ray_cluster import RayCluster, Sharding
from harness.targets.client_stack import open_stack
from harness.targets.endpoint import Endpoint
from harness.version import __version__

LOOPBACK = "http://127.0.0.1"
LIMITS = ("max_requests_per_minute", "max_tokens_per_minute", "max_cost")
WINDOW = 10_000
BATCH = 64
BATCH_SECONDS = 0.5

T = TypeVar("T")
# A line of the journal, with its attempt's key.
Delivered = tuple[str, str]


def check_reach(cluster: RayCluster, name: str, project: Project) -> None:
    """Join the cluster, and check that all its nodes can reach the server.

    Raises:
        UsageError: it is on loopback, as every managed server is, and there are other machines;
            or it has limits, which workers that do not know of each other cannot keep.
        InfrastructureError: the cluster cannot be joined.
    """
    server = project.config.servers[name]
    for limit in LIMITS:
        if getattr(server, limit) is not None:
            raise UsageError(
                "the workers of a cluster cannot keep a limit together",
                where=f"{project.file}: servers.{name}.{limit}",
                hint="leave --engine ray away, or the limit",
            )
    if isinstance(server, ManagedServer):
        cluster.check_reaches(LOOPBACK)
    else:
        for url in server.urls if isinstance(server, RemoteServer) else (server.url,):
            cluster.check_reaches(url)


async def distribute(
    requests: Iterable[PlannedRequest],
    question: Question,
    endpoint: Endpoint,
    cluster: RayCluster,
    journal: Journal,
    on_attempt: Callable[[PlannedRequest, Attempt], None],
) -> None:
    """Return when every ask has an attempt in the journal, as `generate` does.

    `endpoint` holds addresses and keys without the managed process. The journal is
    written here alone: workers deliver batches, and what a lost one had not
    delivered is asked again. `concurrency` is divided over the workers.

    Raises:
        ServerError: the server refuses the key, or is gone.
        InfrastructureError: the cluster is gone, or loses one shard again and again.
    """
    settings = question.generation
    watch = Watch(question)
    sharding: Sharding[PlannedRequest, Delivered] = Sharding(
        cut=partial(shards, group=lambda ask: (ask.suite, ask.case.group)),
        key=lambda ask: ask.key,
        key_of_result=lambda delivered: delivered[0],
    )
    work = partial(_work, endpoint, question, __version__)
    given: dict[str, PlannedRequest] = {}

    def bare() -> Iterator[PlannedRequest]:
        for ask in requests:
            given[ask.key] = ask
            yield _bare(ask)

    delivered = cluster.over(bare(), sharding, work, settings.concurrency)
    async with aclosing(delivered):  # an error here stops the workers at once
        async for key, line in delivered:
            journal.append(line)
            attempt = Attempt.model_validate(json.loads(line))
            on_attempt(given.pop(key), attempt)
            watch.see(attempt)


def _bare(ask: PlannedRequest) -> PlannedRequest:
    """The ask without what is expected of its answer, which stays here."""
    return replace(ask, case=ask.case.model_copy(update={"expect": {}}))


def _work(
    endpoint: Endpoint,
    question: Question,
    version: str,
    requests: Sequence[PlannedRequest],
    share: int,
) -> Iterator[list[Delivered] | HarnessError]:
    """On a worker: batches of lines, of at most `BATCH` or `BATCH_SECONDS`.

    The engine has a thread of its own, so that delivering never delays a clock reading.
    """
    if version != __version__:
        yield InfrastructureError(
            f"a node has harness {__version__}, this machine {version}",
            hint="install the same version on every node",
        )
        return
    generation = question.generation.model_copy(update={"concurrency": share})
    own, out = replace(question, generation=generation), _Outbox()

    async def work() -> None:
        async with open_stack(endpoint, generation, SYSTEM_CLOCK) as clients:
            await generate(requests, own, clients.client, out, lambda *_: None)

    threading.Thread(target=out.run, args=(lambda: run_async(work()),), daemon=True).start()
    yield from out.batches()


class _Outbox:
    """A journal whose lines are sent away in batches."""

    def __init__(self) -> None:
        self._lines: queue.SimpleQueue[Delivered | BaseException | None] = queue.SimpleQueue()

    def append(self, line: str) -> None:
        """Send the line, with its attempt's key."""
        self._lines.put((json.loads(line)["key"], line))

    def run(self, work: Callable[[], None]) -> None:
        """Do the work; its end, or the error it met, is the last thing sent."""
        try:
            work()
            self._lines.put(None)
        except BaseException as error:  # noqa: BLE001 - raised, or handed on, by `batches`
            self._lines.put(error)

    def batches(self) -> Iterator[list[Delivered] | HarnessError]:
        """What was sent, until the end; an error of the harness is the last item.

        Raises:
            BaseException: any other error that the work met.
        """
        item: Delivered | BaseException | None = ("", "")
        while isinstance(item, tuple):
            taken: list[Delivered] = []
            until = math.inf
            while isinstance(item, tuple) and len(taken) < BATCH:
                left = None if not taken else max(0.0, until - monotonic())
                try:
                    item = self._lines.get(timeout=left)
                except queue.Empty:
                    break
                if isinstance(item, tuple):
                    until = until if taken else monotonic() + BATCH_SECONDS
                    taken.append(item)
            if taken:
                yield taken
        if isinstance(item, HarnessError):
            yield item
        elif item is not None:
            raise item


def shards(
    items: Iterable[T],
    group: Callable[[T], object],
    *,
    size: int,
    at_least: int = 1,
    window: int = WINDOW,
) -> Iterator[list[T]]:
    """The items in shards of about `size`, read no further than `window` ahead.

    Within a window a group is in one shard, larger than `size` if it must be, and the items of a
    shard keep their order; a group whose items lie farther apart is split. Every window makes
    `at_least` shards where it has as many groups, so that every worker has work at the end.
    """
    rest = iter(items)
    while taken := list(islice(rest, window)):
        wanted = max(-(-len(taken) // size), at_least)
        yield from _balanced(taken, group, wanted)


def _balanced(items: Sequence[T], group: Callable[[T], object], wanted: int) -> Iterator[list[T]]:
    """The items of one window: the largest group first, each to the shard that has least."""
    places: defaultdict[object, list[int]] = defaultdict(list)
    for place, item in enumerate(items):
        places[group(item)].append(place)
    count = min(wanted, len(places))
    loads = [(0, number) for number in range(count)]
    chosen: list[list[int]] = [[] for _ in range(count)]
    for members in sorted(places.values(), key=len, reverse=True):
        load, number = heapq.heappop(loads)
        chosen[number] += members
        heapq.heappush(loads, (load + len(members), number))
    for shard in chosen:
        yield [items[place] for place in sorted(shard)]
