"""What a transport refuses, and which connection a request goes over."""

import asyncio
import subprocess
import sys
from typing import Any

import pytest

from harness.client.failures import TransportFailed
from harness.client.transport import exchange
from harness.client.transport.exchange import Transport, WholeBody
from harness.client.transport.route import Route
from harness.clock import SYSTEM_CLOCK
from harness.errors import UsageError
from harness.records.target import Generation
from tests.client.raw import Notes, RawServer, Step, chunked, plain, post, transport

OK = [plain(b"ok")]


async def test_outside_its_block_nothing_is_sent() -> None:
    async with RawServer([[plain(b"")]]) as server:
        over = transport(server.url)
        for _ in range(2):
            with pytest.raises(UsageError, match="not open"):
                await post(over)
            async with over:
                pass
    assert server.requests == []


@pytest.mark.parametrize(
    ("target", "headers"),
    [
        ("/v1 HTTP/1.1\r\nX: y", {}),
        ("/a b", {}),
        ("/ü", {}),
        ("/v1", {"X": "y\r\nZ: z"}),
        ("/v1", {"X\n": "y"}),
        ("/v1", {"X": "\x00"}),
        ("/v1", {"X": "漢"}),
        ("/v1", {"Ü": "y"}),
    ],
)
async def test_what_no_request_can_carry(target: str, headers: dict[str, str]) -> None:
    async with RawServer([[plain(b"")]]) as server, transport(server.url) as over:
        with pytest.raises(UsageError, match=r"no (header|request) can carry"):
            await over.exchange("POST", target, headers, b"", Notes())
    assert server.requests == []


async def test_a_get_has_no_length_and_an_empty_post_has() -> None:
    async with RawServer([[plain(b"a")], [plain(b"b")]]) as server, transport(server.url) as over:
        await over.exchange("GET", "/v1/models?a=b", {}, b"", Notes())
        await over.exchange("POST", "/v1/x", {}, b"", Notes())
    got, posted = (request for connection in server.requests for request in connection)
    assert got.startswith(b"GET /v1/models?a=b HTTP/1.1\r\n")
    assert b"Content-Length" not in got
    assert b"Content-Length: 0\r\n" in posted


def test_a_proxy_that_cannot_be_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "")
    monkeypatch.setenv("http_proxy", "socks5://me:secret@127.0.0.1:1")
    with pytest.raises(UsageError) as caught:
        Transport(Route("http://chat.invalid/v1"), generation=Generation(), clock=SYSTEM_CLOCK)
    assert "secret" not in caught.value.line


def test_the_client_needs_no_other_http_library() -> None:
    program = (
        "import sys, harness.cli.run, harness.client.dialects, harness.client.metrics\n"
        "print(sorted({'aiohttp', 'httpx', 'requests', 'urllib3'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


async def test_a_thousand_requests_leave_nothing_behind(caplog: Any) -> None:
    answers = [[plain(b"ok")]] * 1000
    async with RawServer(answers) as server, transport(server.url, concurrency=2) as over:
        for _ in range(1000):
            await post(over)
    assert len(server.requests) == 1
    assert caplog.records == []


def asked(server: RawServer) -> list[int]:
    return [len(connection) for connection in server.requests]


async def test_a_connection_serves_again() -> None:
    async with (
        RawServer([OK, [chunked(b"o", b"k")], OK]) as server,
        transport(server.url) as over,
    ):
        for _ in range(3):
            assert (await post(over)).body == b"ok"
    assert asked(server) == [3]


@pytest.mark.parametrize(
    "answer",
    [
        [plain(b"ok", "Connection: close")],
        [plain(b"ok").replace(b"1.1", b"1.0")],
        [plain(b"ok") + b"garbage"],
        [plain(b"ok") + plain(b"an answer to nothing")],
        [b"HTTP/1.1 200 OK\r\n\r\nok", Step.CLOSE],
        [plain(b"ok"), Step.CLOSE],
        [plain(b"ok"), Step.RESET],
        [plain(b"ok"), b"HTTP/1.1 408 Request Timeout\r\n\r\n"],
    ],
)
async def test_a_connection_that_cannot_serve_again(answer: list[bytes | Step]) -> None:
    async with RawServer([answer], [OK]) as server, transport(server.url, concurrency=1) as over:
        assert (await post(over)).body == b"ok"
        await server.all_ended.wait()
        assert (await post(over)).body == b"ok"
    assert asked(server) == [1, 1]


async def test_what_the_kernel_knows_and_the_loop_has_not_read_counts() -> None:
    sent = asyncio.Event()

    class Tells(RawServer):
        async def _do(self, step: bytes | Step, writer: asyncio.StreamWriter) -> None:
            await super()._do(step, writer)
            if step == b"!":
                sent.set()

    async with Tells([[plain(b"ok"), b"!"]], [OK]) as server, transport(server.url) as over:
        await post(over)
        await sent.wait()
        assert (await post(over)).body == b"ok"
    assert asked(server) == [1, 1]


async def test_an_idle_connection_is_closed_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "KEEPALIVE", 0.02)
    async with RawServer([OK, OK]) as server, transport(server.url) as over:
        await asyncio.gather(post(over), post(over))
        await server.all_ended.wait()
        assert (await post(over)).body == b"ok"
        assert asked(server) == [1, 1, 1]


async def test_at_most_as_many_connections_as_allowed() -> None:
    async with RawServer([OK] * 100) as server, transport(server.url, concurrency=3) as over:
        notes = await asyncio.gather(*(post(over) for _ in range(50)))
    assert [one.body for one in notes] == [b"ok"] * 50
    assert len(server.requests) <= 3


async def test_a_request_that_waits_for_its_turn_can_be_cancelled() -> None:
    async with (
        RawServer([[Step.HANG]], [OK]) as server,
        transport(server.url, concurrency=1) as over,
    ):
        first = asyncio.ensure_future(post(over))
        await server.arrived.wait()
        second, third = (asyncio.ensure_future(post(over)) for _ in range(2))
        await asyncio.sleep(0)
        second.cancel()
        first.cancel()
        assert (await third).body == b"ok"
    assert asked(server) == [1, 1]


async def test_nothing_is_sent_twice() -> None:
    async with RawServer([OK, [Step.CLOSE]], [OK]) as server, transport(server.url) as over:
        await post(over)
        with pytest.raises(TransportFailed) as caught:
            await post(over)
        assert caught.value.cause == "reset"
        assert (await post(over)).body == b"ok"
    assert asked(server) == [2, 1]


async def test_a_server_that_closes_every_connection_at_once() -> None:
    class Slams(RawServer):
        async def talk(
            self, requests: list[bytes], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
        ) -> None:
            writer.transport.abort()

    async with Slams() as server, transport(server.url, concurrency=1) as over:
        for _ in range(20):
            with pytest.raises(TransportFailed) as caught:
                await post(over)
            assert caught.value.cause in ("reset", "connect")


async def test_a_place_is_freed_when_no_connection_comes_about() -> None:
    async with transport("http://127.0.0.1:1/v1", concurrency=1) as over:
        for _ in range(3):
            with pytest.raises(TransportFailed, match="refused"):
                await post(over)


async def test_leaving_closes_every_connection() -> None:
    async with RawServer([OK]) as server:
        async with transport(server.url) as over:
            await asyncio.gather(*(post(over) for _ in range(4)))
        await server.all_ended.wait()
        assert server.ended == len(server.requests)


async def test_a_cancelled_exchange_does_not_end_the_next_one_on_its_connection() -> None:
    # The answer is whole, and the waiting task has not run yet when it is cancelled.
    async with RawServer([OK, OK]) as server:
        generation = Generation(concurrency=1)
        over = Transport(Route(server.url), generation=generation, clock=SYSTEM_CLOCK)

        class Cancels(Notes):
            def feed(self, data: bytes, at: float) -> bool:
                asyncio.get_running_loop().call_soon(first.cancel)
                return super().feed(data, at)

        async with over:
            first = asyncio.ensure_future(post(over, Cancels()))
            second = asyncio.ensure_future(post(over))
            await asyncio.wait([first])
            assert (await second).body == b"ok"


def test_a_body_taken_whole_up_to_the_limit() -> None:
    body = WholeBody(5)
    body.head(503, {"content-type": "Text/HTML; charset=utf-8"})
    assert (body.status, body.kind, body.content) == (503, "text/html", b"")
    assert not body.feed(b"abc", 1.0)
    assert body.feed(b"de", 2.0)
    assert (body.content, body.cut) == (b"abcde", False)


def test_a_body_beyond_the_limit() -> None:
    body = WholeBody(5)
    assert body.feed(b"abcdefgh", 1.0)
    assert (body.content, body.cut) == (b"abcde", True)
    assert body.kind == ""
