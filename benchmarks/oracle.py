"""A server that answers every chat alike and on time, to measure clients by.

`python -m benchmarks.oracle` prints its address on one line and runs until its standard input
ends. Each piece of an answer is due at an absolute moment after its request; how late the pieces
went out, and from when to when requests were answered, stands behind `GET /measured`. `GET
/writes` gives for each `request_id` that stood in a body the moment at which its request came and
those at which its pieces were written, on the clock of `time.monotonic`. Asking for either begins
a new measurement.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import heapq
import json
import os
import re
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import cast

import httptools

from harness.clock import SYSTEM_CLOCK
from harness.latency.deadline_timer import DeadlineTimer

WORDS = 16
_ID = re.compile(rb'"request_id": ?"([^"]+)"')
_COUNTS = b'"continuous_usage_stats"'


@dataclass(frozen=True, slots=True)
class Script:
    """When the words are due, in seconds after the request, and how many of them make a piece.

    With `role` a piece with the role alone goes out at that moment, before any word.
    """

    first: float = 0.0
    last: float = 0.0
    words: int = WORDS
    together: int = 1
    role: float | None = None

    @property
    def offsets(self) -> list[float]:
        """When each piece is due."""
        count = len(range(0, self.words, self.together))
        gap = (self.last - self.first) / max(1, count - 1)
        words = [self.first + gap * number for number in range(count)]
        return words if self.role is None else [self.role, *words]


class Oracle:
    """What to say, when, and what was measured."""

    models: Sequence[dict[str, object]] = ({"id": "oracle", "object": "model"},)

    def __init__(self, script: Script, timer: DeadlineTimer) -> None:
        self.offsets = script.offsets
        self.pieces = pieces(script)
        self.counting = pieces(script, counting=True)
        self.at_once = script.last == 0.0
        self._due: list[tuple[float, int, int, Talk]] = []
        self._count = 0
        self._timer = timer
        self.forget()

    def forget(self) -> None:
        """Begin a new measurement."""
        self.requests = 0
        self.first = self.last = 0.0
        self._late: list[float] = []
        self.writes: dict[str, list[float]] = {}

    def ask(self, talk: Talk, body: bytes) -> None:
        """Answer a request that came now."""
        now = time.monotonic()
        if self.requests == 0:
            self.first = now
        self.requests += 1
        talk.moments = [now]
        talk.offsets, talk.pieces = self.reply(body)
        if named := _ID.search(body):
            self.writes[named[1].decode()] = talk.moments
        if self.at_once:
            talk.moments.append(now)
            talk.write(b"".join(talk.pieces))
            self.last = now
        else:
            self._add(now, 0, talk)

    def reply(self, body: bytes) -> tuple[Sequence[float], list[bytes]]:
        """When the pieces of an answer are due, in seconds after the request, and the pieces."""
        return self.offsets, self.counting if counts(body) else self.pieces

    def measured(self) -> dict[str, float]:
        """The measurement, in seconds of the monotonic clock."""
        late = sorted(self._late) or [0.0]
        return {
            "requests": self.requests,
            "first": self.first,
            "last": self.last,
            "late_median": late[len(late) // 2],
            "late_p99": late[int(len(late) * 0.99)],
        }

    def _add(self, began: float, number: int, talk: Talk) -> None:
        entry = (began + talk.offsets[number], self._count, number, talk)
        self._count += 1
        heapq.heappush(self._due, entry)
        if self._due[0] is entry:
            self._timer.set(entry[0], self._ring)

    def _ring(self) -> None:
        due = self._due
        now = time.monotonic()
        while due and due[0][0] <= now:
            moment, _, number, talk = heapq.heappop(due)
            if talk.gone:
                continue
            talk.moments.append(now)
            talk.write(talk.pieces[number])
            now = time.monotonic()
            self._late.append(now - moment)
            if number + 1 < len(talk.offsets):
                next_ = moment - talk.offsets[number] + talk.offsets[number + 1]
                heapq.heappush(due, (next_, 0, number + 1, talk))
            else:
                self.last = now
        if due:
            self._timer.set(due[0][0], self._ring)


class Talk(asyncio.Protocol):
    """One connection of a client."""

    def __init__(self, oracle: Oracle) -> None:
        self._oracle = oracle
        self._parser = httptools.HttpRequestParser(self)
        self._target = b""
        self._body = b""
        self.gone = False
        self.moments: list[float] = []
        self.offsets: Sequence[float] = ()
        self.pieces: list[bytes] = []

    def __lt__(self, other: Talk) -> bool:
        """Entries of the same moment need an order, and any will do."""
        return id(self) < id(other)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the event loop's call."""
        self._transport = cast("asyncio.Transport", transport)
        self._file = transport.get_extra_info("socket").fileno()

    def write(self, data: bytes) -> None:
        """Send at once, past the event loop's own queue; what the kernel does not take waits."""
        if self._transport.get_write_buffer_size():
            sent = 0
        else:
            try:
                sent = os.write(self._file, data)
            except BlockingIOError:
                sent = 0
            except OSError:
                return
        if sent < len(data):
            self._transport.write(data[sent:])

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Take the event loop's call."""
        self.gone = True

    def data_received(self, data: bytes) -> None:
        """Take the event loop's call."""
        self._parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        """Take the parser's call."""
        self._target = url
        self._body = b""

    def on_body(self, data: bytes) -> None:
        """Take the parser's call."""
        self._body += data

    def on_message_complete(self) -> None:
        """Take the parser's call: answer."""
        if self._target == b"/v1/chat/completions":
            self._oracle.ask(self, self._body)
        elif self._target == b"/v1/models":
            self._tell({"object": "list", "data": list(self._oracle.models)})
        elif self._target == b"/version":
            self._tell({"version": "oracle"})
        else:
            whole = self._target == b"/writes"
            self._tell(self._oracle.writes if whole else self._oracle.measured())
            self._oracle.forget()

    def _tell(self, what: object) -> None:
        body = json.dumps(what).encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
        self.write(f"{head}\r\n\r\n".encode() + body)


def counts(body: bytes) -> bool:
    """Whether a request asks for usage in each piece."""
    return _COUNTS in body


def pieces(
    script: Script = Script(), *, counting: bool = False, model: str = "oracle"
) -> list[bytes]:
    """An answer in pieces; the head comes with the first, and with `counting` usage in each."""
    head = (
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    start = {"id": "chatcmpl-0", "object": "chat.completion.chunk", "created": 1, "model": model}

    def usage(count: int) -> dict[str, int]:
        return {"prompt_tokens": 12, "completion_tokens": count, "total_tokens": 12 + count}

    def event(delta: dict[str, str], count: int, finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        counts = {"usage": usage(count)} if counting else {}
        return _chunk(json.dumps({**start, "choices": [choice], **counts}).encode())

    words = script.words
    said = []
    for begin in range(0, words, script.together):
        end = min(begin + script.together, words)
        text = "".join(f"word{number} " for number in range(begin, end))
        said.append(event({"content": text}, end))
    opening = head + event({"role": "assistant", "content": ""}, 0)
    said[-1] += event({}, words, "stop")
    said[-1] += _chunk(json.dumps({**start, "choices": [], "usage": usage(words)}).encode())
    said[-1] += _chunk(b"[DONE]") + b"0\r\n\r\n"
    if script.role is not None:
        return [opening, *said]
    said[0] = opening + said[0]
    return said


def _chunk(data: bytes) -> bytes:
    event = b"data: " + data + b"\n\n"
    return f"{len(event):x}\r\n".encode() + event + b"\r\n"


async def serve(made: Callable[[DeadlineTimer], Oracle]) -> None:
    """Serve until the standard input ends."""
    loop = asyncio.get_running_loop()
    gc.disable()  # nothing here goes in circles, and a collection would make pieces late
    with DeadlineTimer(SYSTEM_CLOCK) as timer:
        oracle = made(timer)
        server = await loop.create_server(lambda: Talk(oracle), "127.0.0.1", 0, backlog=4096)
        print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
        await loop.run_in_executor(None, sys.stdin.read)


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve."""
    import uvloop

    parser = argparse.ArgumentParser(description="A server to measure clients by.")
    parser.add_argument("--first", type=float, default=0.050, help="seconds to the first token")
    parser.add_argument("--last", type=float, default=0.082, help="seconds to the last")
    parser.add_argument("--words", type=int, default=WORDS, help="that make an answer")
    parser.add_argument("--together", type=int, default=1, help="words in a piece")
    parser.add_argument("--role", type=float, help="seconds to a piece that has the role alone")
    given = parser.parse_args(arguments)
    script = Script(given.first, given.last, given.words, given.together, given.role)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(partial(Oracle, script)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
