"""Work on shards on the nodes of a Ray cluster; results are streamed back in batches."""

from __future__ import annotations

import asyncio
import ipaddress
import os
import secrets
import socket
from collections.abc import AsyncGenerator, Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Self, TypeVar
from urllib.parse import urlsplit

from harness.errors import HarnessError, InfrastructureError, UsageError

LOSSES = 3
QUIET = 60.0
HEAD_EVERY = 3.0
HEAD_FAILURES = 4
REACH = 5.0
_STORE = 128 * 1024 * 1024
_NAME = "harness shard"
# One for the life of the process: Ray keeps the first that it has read.
_TOKEN = secrets.token_hex(32)
GO_ON = "finished answers are kept; run the same command again"

Item = TypeVar("Item")
Result = TypeVar("Result")
# What a worker does with items, at most the given number of them under way at once: a function of
# a module that every node can import, or a partial of one. It yields results in batches; an error
# of the harness is yielded too, as the last item.
Work = Callable[[Sequence[Item], int], Iterator[Sequence[Result] | HarnessError]]
# Batches of results, the error that ends everything, and None for each worker that is done.
Arrivals = asyncio.Queue[Sequence[Result] | BaseException | None]


@dataclass(frozen=True, slots=True)
class Sharding(Generic[Item, Result]):
    """How items are cut and told apart: an item and its result have the same key.

    `cut` is given the items, the `size` of a shard and how many there should be `at_least`.
    """

    cut: Callable[..., Iterator[list[Item]]]
    key: Callable[[Item], Hashable]
    key_of_result: Callable[[Result], Hashable]


def shares(total: int, workers: int) -> list[int]:
    """`total` divided over the workers; with more workers than `total`, there are fewer shares."""
    count = max(1, min(total, workers))
    return [total // count + (number < total % count) for number in range(count)]


class RayCluster:
    """A Ray cluster, joined or started when work is first given to it; use it in a `with`.

    `address` is that of a running cluster's head, or `auto` for the one this machine is part of;
    without one a cluster of this machine alone is started, and stopped at the end. `workers` is
    how many shards are worked on at once: as many as the cluster has processors, if not given.
    """

    def __init__(
        self,
        address: str | None = None,
        workers: int | None = None,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._address = address
        self._workers = workers
        self._say = say
        self._joined = False
        self._remote: Any = None
        self._head = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._joined:
            import ray

            ray.shutdown()
            self._joined = False

    def join(self) -> None:
        """Return when the cluster is ready; the first time, one line reports it.

        Raises:
            UsageError: Ray is not installed, or the address is none.
            InfrastructureError: the cluster cannot be reached or started, or is of another
                version of Ray or Python.
        """
        if self._joined:
            return
        address = self._address or os.environ.get("RAY_ADDRESS") or None
        _check_address(address)
        own = address in (None, "local")
        # Ray reads these when it is imported or started.
        os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
        if own and not _has_token():
            # Its ports are open on every network, so Ray asks for a token, and writes one to the
            # user's home if none is given.
            os.environ["RAY_AUTH_TOKEN"] = _TOKEN
        # Without an answer of the head it would end this process with exit code 1, a BLOCK.
        os.environ.setdefault("RAY_gcs_rpc_server_reconnect_timeout_s", "86400")
        try:
            import ray
        except ImportError:
            raise UsageError("Ray is not installed", hint="pip install '.[ray]'") from None
        given: dict[str, Any] = {"address": address}
        if own:
            cpus = self._workers or os.cpu_count() or 1
            given = {"address": "local", "num_cpus": cpus}
            given |= {"include_dashboard": False, "object_store_memory": _STORE}
        try:
            _silence()
            ray.init(**given, log_to_driver=False, logging_level="ERROR")
        except Exception as error:  # noqa: BLE001 - Ray raises plain ones on a slow start
            raise _unreachable(address, error) from None
        self._joined = True
        self._head = ray.get_runtime_context().gcs_address
        self._remote = ray.remote(_run).options(
            num_cpus=1, max_retries=0, num_returns="streaming", name=_NAME
        )
        self._say(
            f"Ray: nodes {len(_alive())}, processors {_cpus()}"
            + (", this machine alone" if own else "")
        )
        if not own and os.environ.get("RAY_AUTH_MODE", "").lower() != "token":
            self._say(
                "Ray: the cluster asks for no token, so anyone who reaches it can run code and "
                "write answers; RAY_AUTH_MODE=token on every node changes that"
            )

    def check_reaches(self, url: str) -> None:
        """Check that every node can reach the server at the address.

        Raises:
            UsageError: the address is this machine's loopback, and there are other machines.
        """
        self.join()
        if not _is_loopback(urlsplit(url).hostname or ""):
            return
        import ray

        here = ray.util.get_node_ip_address()
        others = sorted({node["NodeManagerAddress"] for node in _alive()} - {here})
        if others:
            raise UsageError(
                "the server listens on this machine's loopback, where the Ray cluster's workers "
                f"on {', '.join(others[:3])}{' …' if others[3:] else ''} cannot reach it",
                where=url,
                hint="give a server's `url` that all nodes reach, or leave --engine ray away",
            )

    async def over(
        self,
        items: Iterable[Item],
        sharding: Sharding[Item, Result],
        work: Work[Item, Result],
        total_share: int,
    ) -> AsyncGenerator[Result, None]:
        """The results as they arrive, one an item, whatever becomes of single workers.

        `total_share` is divided over the workers. The shard of a lost worker is given out again,
        without the items whose results are here; a result that arrives twice is dropped.

        Raises:
            InfrastructureError: no node is left, or one shard was lost `LOSSES` times.
            HarnessError: what a worker met; all others are stopped.
        """
        self.join()
        parts = shares(total_share, self._workers or _cpus())
        # Large enough for a worker's share to be under way nearly all the time.
        size = max(64, 8 * parts[0])
        waiting = sharding.cut(items, size=size, at_least=len(parts))
        arrived: Arrivals[Result] = asyncio.Queue()
        slots = [
            asyncio.create_task(self._slot(waiting, sharding, work, part, arrived))
            for part in parts
        ]
        slots.append(asyncio.create_task(self._watch_head(arrived)))
        try:
            working = len(parts)
            while working:
                batch = await self._next(arrived)
                if batch is None:
                    working -= 1
                elif isinstance(batch, BaseException):
                    raise batch
                else:
                    for result in batch:
                        yield result
        finally:
            for slot in slots:
                slot.cancel()
            await asyncio.gather(*slots, return_exceptions=True)

    async def _next(self, arrived: Arrivals[Result]) -> Sequence[Result] | BaseException | None:
        """The next result, without a time limit; a long wait is reported."""
        try:
            return await asyncio.wait_for(arrived.get(), QUIET)
        except TimeoutError:
            self._say(
                f"Ray: nothing has arrived for {QUIET:.0f} s; `ray status` says whether the "
                "cluster is busy"
            )
            return await arrived.get()

    async def _watch_head(self, arrived: Arrivals[Result]) -> None:
        """Report that the head is gone, before Ray itself ends this process with exit code 1."""
        failures = 0
        while failures < HEAD_FAILURES:
            await asyncio.sleep(HEAD_EVERY)
            failures = 0 if await self._head_answers() else failures + 1
        arrived.put_nowait(_headless())

    async def _head_answers(self) -> bool:
        """Whether something listens where the head does; every other question could block."""
        host, _, port = self._head.rpartition(":")
        try:
            _, writer = await asyncio.wait_for(asyncio.open_connection(host, port), REACH)
        except (OSError, TimeoutError):
            return False
        writer.close()
        return True

    async def _slot(
        self,
        waiting: Iterator[list[Item]],
        sharding: Sharding[Item, Result],
        work: Work[Item, Result],
        share: int,
        arrived: Arrivals[Result],
    ) -> None:
        """Give out one shard after the other, and what is left of each until nothing is."""
        try:
            for shard in waiting:
                left = {sharding.key(item): item for item in shard}
                losses = 0
                while left:
                    lost = await self._give_out(left, sharding, work, share, arrived)
                    if not left:
                        break
                    losses += 1
                    if not await self._head_answers():
                        raise _headless()
                    _check_loss(lost, losses)
                    self._say(
                        f"Ray: a worker was lost ({lost}); {len(left)} requests go to another"
                    )
            arrived.put_nowait(None)
        except Exception as error:  # noqa: BLE001 - handed on to whoever reads the results
            arrived.put_nowait(error)

    async def _give_out(
        self,
        left: dict[Hashable, Item],
        sharding: Sharding[Item, Result],
        work: Work[Item, Result],
        share: int,
        arrived: Arrivals[Result],
    ) -> str:
        """Why a worker brought no more; what it brought is taken out of `left`.

        Raises:
            HarnessError: what the worker met.
        """
        import ray

        # The work is an argument of its own: small ones are never written to a node's disk.
        stream = self._remote.remote(work, list(left.values()), share)
        try:
            async for reference in stream:
                batch = await reference
                if isinstance(batch, HarnessError):
                    raise batch
                fresh = [
                    result
                    for result in batch
                    if left.pop(sharding.key_of_result(result), None) is not None
                ]
                arrived.put_nowait(fresh)
        except ray.exceptions.RayTaskError as error:
            raise InfrastructureError(
                f"a worker failed: {error.cause!r}" if error.cause else "a worker failed",
                hint="every node needs the same version of harness; see docs/scale.md",
            ) from None
        except ray.exceptions.RayError as error:
            return type(error).__name__
        except BaseException:
            ray.cancel(stream, force=True)
            raise
        return "brought too little"


def _check_loss(lost: str, losses: int) -> None:
    """Refuse to go on where one shard is lost again and again, or no processor is left."""
    if losses >= LOSSES:
        raise InfrastructureError(
            f"Ray lost the worker of one shard {losses} times: {lost}", hint=GO_ON
        )
    if _cpus() < 1:
        raise InfrastructureError("the Ray cluster has no processor left", hint=GO_ON)


def _run(work: Any, items: Any, share: int) -> Iterator[Any]:
    """The function that a node executes."""
    yield from work(items, share)


def _headless() -> InfrastructureError:
    return InfrastructureError("the head of the Ray cluster is gone", hint=GO_ON)


def _silence() -> None:
    """Keep Ray from printing pages on standard output, such as the log of a node that was lost.

    It has no public switch for that; that a worker was lost is reported in one line of ours.
    """
    from ray._private import worker

    worker._worker_logs_enabled = False


def _alive() -> list[dict[str, Any]]:
    import ray

    return [node for node in ray.nodes() if node["Alive"]]


def _cpus() -> int:
    """The processors of the nodes that are alive now."""
    return int(sum(node["Resources"].get("CPU", 0) for node in _alive()))


def _has_token() -> bool:
    given = any(name in os.environ for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"))
    return given or (Path.home() / ".ray" / "auth_token").is_file()


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _check_address(address: str | None) -> None:
    """Check that something listens at the address, if one is given.

    Ray itself would try for a minute, and say so in a page.
    """
    if address is None or address in ("local", "auto"):
        return
    hint = "give the head's host:port, or `auto` on a machine of the cluster"
    host, _, port = address.rpartition(":")
    if "://" in address or not host or not port.isdecimal():
        raise UsageError("is no address of a Ray cluster", where=address, hint=hint)
    try:
        socket.create_connection((host, int(port)), REACH).close()
    except (OSError, OverflowError) as error:
        raise _unreachable(address, error) from None


def _unreachable(address: str | None, error: BaseException) -> InfrastructureError:
    reason = " ".join(str(error).split())
    if address in (None, "local"):
        return InfrastructureError(f"Ray does not start: {reason[:200]}")
    return InfrastructureError(
        f"no Ray cluster there: {reason[:200]}",
        where=address,
        hint="`ray status` on the head shows whether it is up",
    )
