"""What clients say of latency, minus what the server knows of it.

Run `python -m benchmarks.latency_truth`. A server of its own writes every piece at a moment laid
down beforehand and notes when it did. Clients ask it, each in a process of its own, and what they
measured is compared request by request.

TTFT is in error by how late the request left after it was due, and how late its first chunk with
content was read after it was written; E2E by the same to the end of the answer, a gap by how much
it differs. In a closed loop a request is due when the answer before it has ended; with `--open`
at moments drawn beforehand. The first requests of a loop, which open its connections, are left out.
Of several runs the one counts in which others used the processors least: *others* is their share.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import json
import math
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from benchmarks.bare import LOOPS, Seen

ROOT = Path(__file__).parent.parent
OURS = "ours"
FIRST, LAST, WORDS = 0.050, 0.082, 16
PERCENTILES = (0.50, 0.95, 0.99)


@dataclass(slots=True)
class Errors:
    """Client minus truth, in seconds, and what the client says of itself."""

    ttft: list[float] = field(default_factory=list)
    gap: list[float] = field(default_factory=list)
    e2e: list[float] = field(default_factory=list)
    lag: list[float] = field(default_factory=list)
    others: float = 0.0
    health: dict[str, float] = field(default_factory=dict)
    wrong: int = 0


async def through_ours(
    url: str, cases: int, concurrency: int, rate: float | None = None
) -> tuple[list[Seen], dict[str, float]]:
    """The answers that came whole, and the client's own health."""
    from harness.client.dialect_client import DialectClient
    from harness.client.protocol import Answer, ChatRequest
    from harness.clock import SYSTEM_CLOCK
    from harness.latency.health import LoopLagMonitor, garbage_frozen
    from harness.records.suite import Message
    from harness.records.target import Generation
    from tests.dialects import openai_dialect

    whole: list[Seen] = []
    now = SYSTEM_CLOCK.now
    settings = Generation(concurrency=4 * concurrency if rate else concurrency)

    async def ask(client: DialectClient, number: int, due: float) -> float:
        said = (Message(role="user", content=f"Say word {number}."),)
        extra = {"request_id": str(number)}
        reply = await client.ask(ChatRequest("oracle", said, 128, extra=extra), intended=due)
        if isinstance(reply, Answer):
            took = reply.timing
            chunks = [due + at for at in took.chunks]
            whole.append(Seen(str(number), due, due + took.sent, chunks, due + took.done))
            return due + took.done
        return now()

    async def work(client: DialectClient, numbers: Iterator[int]) -> None:
        due = now()
        for number in numbers:
            due = await ask(client, number, due)

    async with DialectClient(
        openai_dialect(f"{url}/v1", None), generation=settings, clock=SYSTEM_CLOCK
    ) as client:
        numbers = iter(range(cases))
        opening = iter([next(numbers) for _ in range(settings.concurrency)])
        await asyncio.gather(*(work(client, iter([number])) for number in opening))
        with garbage_frozen():
            async with LoopLagMonitor(SYSTEM_CLOCK) as monitor:
                if rate is None:
                    await asyncio.gather(*(work(client, numbers) for _ in range(concurrency)))
                else:
                    await _open(lambda number, due: ask(client, number, due), numbers, rate)
        health = monitor.health().model_dump()
    return whole, health


async def _open(ask: Any, numbers: Iterator[int], rate: float) -> None:
    """Ask at moments drawn beforehand, whatever the server does."""
    from harness.clock import SYSTEM_CLOCK
    from harness.latency.deadline_timer import DeadlineTimer

    draw = random.Random(0)
    due = SYSTEM_CLOCK.now() + 0.1
    with DeadlineTimer(SYSTEM_CLOCK) as timer:
        async with asyncio.TaskGroup() as group:
            for number in numbers:
                due += draw.expovariate(rate)
                await timer.wait_until(due)
                group.create_task(ask(number, due))


@contextmanager
def oracle() -> Iterator[tuple[str, int]]:
    """The address of a server of its own, and its process."""
    command = [sys.executable, "-m", "benchmarks.oracle"]
    command += ["--first", str(FIRST), "--last", str(LAST), "--words", str(WORDS)]
    server = subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert server.stdout is not None
    try:
        yield server.stdout.readline().strip(), server.pid
    finally:
        server.communicate()


@contextmanager
def burners(count: int) -> Iterator[None]:
    """Processes that do nothing but use a processor."""
    line = [sys.executable, "-c", "while True: pass"]
    burning = [subprocess.Popen(line) for _ in range(count)]
    try:
        yield
    finally:
        for one in burning:
            one.kill()
            one.wait()


def measure(
    client: str, server: tuple[str, int], cases: int, concurrency: int, rate: float | None
) -> Errors:
    """One run of a client in a process of its own, beside what the server wrote."""
    url, pid = server
    _writes(url)
    command = [sys.executable, "-m", "benchmarks.latency_truth", "--client", client, "--url", url]
    command += ["--cases", str(cases), "--concurrency", str(concurrency)]
    command += ["--rate", str(rate)] if rate else []
    before = _used(pid)
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    total, busy, ours = (b - a for a, b in zip(before, _used(pid), strict=True))
    if done.returncode != 0:
        raise SystemExit(f"{client}: exit {done.returncode}\n{done.stderr}")
    told = json.loads(done.stdout)
    seen = [Seen(**one) for one in told["seen"]]
    opening = 4 * concurrency if rate else concurrency
    found = compare([one for one in seen if int(one.name) >= opening], _writes(url))
    found.health = told["health"]
    found.others = max(0.0, busy - ours) / max(1.0, total)
    found.wrong += cases - len(seen)
    return found


def compare(seen: Sequence[Seen], writes: dict[str, list[float]]) -> Errors:
    """The client's errors; an answer with other chunks than were written counts as wrong."""
    found = Errors()
    for one in seen:
        came, *wrote = writes[one.name]
        if len(one.chunks) != len(wrote):
            found.wrong += 1
            continue
        found.ttft.append((one.chunks[0] - one.due) - (wrote[0] - came))
        found.e2e.append((one.done - one.due) - (wrote[-1] - came))
        found.lag.append(one.sent - one.due)
        gaps = zip(pairwise(one.chunks), pairwise(wrote), strict=True)
        found.gap += [(b - a) - (d - c) for (a, b), (c, d) in gaps]
    return found


def _quiet(longest: float, server: int) -> None:
    """Return once the processors had next to nothing to do for half a second, or in the end."""
    until = time.monotonic() + longest
    while time.monotonic() < until:
        total, busy, _ = _used(server)
        time.sleep(0.5)
        total, busy = _used(server)[0] - total, _used(server)[1] - busy
        if busy < 0.1 * total:
            return


def _used(server: int) -> tuple[float, float, float]:
    """Ticks of all processors, those that were used, and those used by the server and clients."""
    ticks = [int(one) for one in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    own = Path(f"/proc/{server}/stat").read_text().rpartition(")")[2].split()
    children = os.times()
    spent = (children.children_user + children.children_system) * os.sysconf("SC_CLK_TCK")
    idle = ticks[3] + ticks[4]
    return sum(ticks), sum(ticks) - idle, int(own[11]) + int(own[12]) + spent


def _writes(url: str) -> dict[str, list[float]]:
    connection = http.client.HTTPConnection(urlsplit(url).netloc)
    connection.request("GET", "/writes")
    told: dict[str, list[float]] = json.loads(connection.getresponse().read())
    connection.close()
    return told


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that so large a share of all does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def _cell(values: Sequence[float]) -> str:
    return " / ".join(f"{1000 * percentile(values, share):.2f}" for share in PERCENTILES)


def row(name: str, concurrency: int, found: Errors) -> str:
    """A line of the table, in milliseconds; of gaps the size of the error."""
    gaps = [abs(gap) for gap in found.gap]
    cells = [_cell(found.ttft), _cell(gaps), _cell(found.e2e)]
    cells.append(f"{1000 * percentile(found.lag, 0.99):.2f}")
    health = found.health
    if health:
        cells.append(f"{1000 * health['lag_p99']:.2f} / {1000 * health['lag_longest']:.2f}")
        cells += [f"{1000 * health['gc_longest']:.2f}", f"{health['cpu']:.2f}"]
    else:
        cells += ["", "", ""]
    cells.append(f"{found.others:.2f}")
    if found.wrong:
        name += f" ({found.wrong} wrong)"
    return f"| {name} | {concurrency} | " + " | ".join(cells) + " |"


HEAD = (
    "| client | c | TTFT error ms p50 / p95 / p99 | gap error | E2E error | send lag p99 "
    "| loop lag p99 / longest | longest gc | CPU | others |\n| --- " + "| ---: " * 9 + "|"
)


def table(given: argparse.Namespace, clients: Sequence[str]) -> None:
    """Print a row for each client and load, of the run in which others did least."""
    print(HEAD, flush=True)
    with oracle() as server:
        for concurrency in given.concurrency or (1, 64, 256):
            opening = 4 * concurrency if given.open else concurrency
            cases = opening + (given.cases or max(300, given.seconds * int(concurrency / LAST)))
            for client in clients:
                rate = concurrency / LAST if given.open else None
                runs = []
                for _ in range(given.repeat):
                    _quiet(given.wait, server[1])
                    runs.append(measure(client, server, cases, concurrency, rate))
                quiet = min(runs, key=lambda found: found.others)
                print(row(client, concurrency, quiet), flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description="Clients against the truth.")
    parser.add_argument("--concurrency", type=int, action="append", help="default: 1, 64, 256")
    parser.add_argument("--seconds", type=int, default=4, help="that a run takes at least")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--wait", type=float, default=0.0, help="seconds for a quiet machine")
    parser.add_argument("--open", action="store_true", help="an open loop, of our client alone")
    parser.add_argument("--burn", type=int, default=0, help="processes that use a processor each")
    parser.add_argument("--client", choices=[OURS, *LOOPS], help="only this one")
    parser.add_argument("--url", help="ask there, and print what was seen")
    parser.add_argument("--cases", type=int, help="requests that count, in place of seconds")
    parser.add_argument("--rate", type=float)
    given = parser.parse_args(arguments)
    if given.url is not None:
        return _ask(given)
    print(f"Load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores before the start.\n")
    clients = [OURS] if given.open else [given.client] if given.client else [OURS, *LOOPS]
    with burners(given.burn):
        table(given, clients)
    return 0


def _ask(given: argparse.Namespace) -> int:
    import uvloop

    concurrency = given.concurrency[0]
    health: dict[str, float] = {}
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        if given.client == OURS:
            seen, health = runner.run(through_ours(given.url, given.cases, concurrency, given.rate))
        else:
            seen = runner.run(LOOPS[given.client](given.url, given.cases, concurrency))
    json.dump({"seen": [asdict(one) for one in seen], "health": health}, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
