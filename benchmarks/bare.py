"""Loops that only ask a streaming server, without suites, journal or scores: what is least.

`python -m benchmarks.bare aiohttp --url http://127.0.0.1:PORT` asks through aiohttp,
`python -m benchmarks.bare protocol …` through an `asyncio.Protocol` that looks for the end of the
answer and no further. Both note the moment of every piece.

`latency_truth` compares what they note with what the server wrote.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import urlsplit

TARGET = "/v1/chat/completions"


@dataclass(slots=True)
class Seen:
    """What a client says of one request, in seconds of the monotonic clock.

    It was `due` once the answer before it had ended; `chunks` are those with content.
    """

    name: str
    due: float
    sent: float
    chunks: list[float] = field(default_factory=list)
    done: float = 0.0


def request(number: int) -> bytes:
    """The body that `harness run` sends for a case of the benchmark."""
    return json.dumps(
        {
            "model": "oracle",
            "messages": [{"role": "user", "content": f"Say word {number}."}],
            "max_tokens": 128,
            "temperature": 0.0,
            "top_p": 1.0,
            "seed": 0,
            "stream": True,
            "stream_options": {"include_usage": True},
            "request_id": str(number),
        }
    ).encode()


async def through_aiohttp(url: str, cases: int, concurrency: int) -> list[Seen]:
    """The answers that came whole."""
    import aiohttp

    whole: list[Seen] = []
    numbers = iter(range(cases))
    connector = aiohttp.TCPConnector(limit=concurrency)
    headers = {"Content-Type": "application/json"}

    async def work(session: aiohttp.ClientSession) -> None:
        due = time.perf_counter()
        for number in numbers:
            seen = Seen(str(number), due, time.perf_counter())
            text: list[str] = []
            async with session.post(url + TARGET, data=request(number), headers=headers) as answer:
                async for line in answer.content:
                    if line.startswith(b"data: {"):
                        at = time.perf_counter()
                        choices = json.loads(line[6:])["choices"]
                        said = [choice["delta"].get("content") or "" for choice in choices]
                        if any(said):
                            seen.chunks.append(at)
                        text += said
                    elif line.startswith(b"data: [DONE]"):
                        seen.done = due = time.perf_counter()
                        whole.append(seen)

    async with aiohttp.ClientSession(connector=connector) as session:
        await asyncio.gather(*(work(session) for _ in range(concurrency)))
    return whole


class Bare(asyncio.Protocol):
    """One connection that asks its share, one case after the other."""

    def __init__(self, numbers: Iterator[int], host: str) -> None:
        self._numbers = numbers
        self._host = host
        self._due = time.perf_counter()
        self.whole: list[Seen] = []
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the event loop's call: ask."""
        self._transport = cast("asyncio.Transport", transport)
        self._ask()

    def _ask(self) -> None:
        number = next(self._numbers, None)
        if number is None:
            self._transport.close()
            self.over.set_result(None)
            return
        self._pieces: list[bytes] = []
        self._times: list[float] = []
        body = request(number)
        head = f"POST {TARGET} HTTP/1.1\r\nHost: {self._host}\r\nContent-Length: {len(body)}"
        self._seen = Seen(str(number), self._due, time.perf_counter())
        self._transport.write(f"{head}\r\n\r\n".encode() + body)

    def data_received(self, data: bytes) -> None:
        """Take the event loop's call: a piece of an answer."""
        self._times.append(time.perf_counter())
        self._pieces.append(data)
        if data.endswith(b"\r\n0\r\n\r\n"):
            self._due = self._seen.done = self._times[-1]
            for at, piece in zip(self._times, self._pieces, strict=True):
                for line in piece.split(b"\n"):
                    if line.startswith(b"data: {"):
                        choices = json.loads(line[6:])["choices"]
                        if any(choice["delta"].get("content") for choice in choices):
                            self._seen.chunks.append(at)
            self.whole.append(self._seen)
            self._ask()


async def through_protocol(url: str, cases: int, concurrency: int) -> list[Seen]:
    """The answers that came whole."""
    loop = asyncio.get_running_loop()
    parts = urlsplit(url)
    numbers = iter(range(cases))
    host, port = parts.hostname or "", parts.port or 80
    asked = [
        await loop.create_connection(lambda: Bare(numbers, parts.netloc), host, port)
        for _ in range(concurrency)
    ]
    await asyncio.gather(*(protocol.over for _, protocol in asked))
    return [seen for _, protocol in asked for seen in protocol.whole]


LOOPS: dict[str, Callable[[str, int, int], Coroutine[Any, Any, list[Seen]]]] = {
    "aiohttp": through_aiohttp,
    "protocol": through_protocol,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Ask; the exit code says whether every answer came."""
    import uvloop

    parser = argparse.ArgumentParser(description="A bare loop.")
    parser.add_argument("client", choices=LOOPS)
    parser.add_argument("--url", required=True)
    parser.add_argument("--cases", type=int, default=2000)
    parser.add_argument("--concurrency", type=int, default=64)
    given = parser.parse_args(arguments)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        whole = runner.run(LOOPS[given.client](given.url, given.cases, given.concurrency))
    return 0 if len(whole) == given.cases else 1


if __name__ == "__main__":
    sys.exit(main())
