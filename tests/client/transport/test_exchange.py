"""What a transport refuses, and what it says of itself."""

import subprocess
import sys
from typing import Any

import pytest

from harness.client.transport.exchange import Transport
from harness.client.transport.route import Route
from harness.clock import SYSTEM_CLOCK
from harness.errors import UsageError
from harness.records.target import Generation
from tests.client.raw import Notes, RawServer, plain, post, transport


async def test_outside_its_block_nothing_is_sent() -> None:
    async with RawServer([[plain(b"")]]) as server:
        over = transport(server.url)
        for _ in range(2):
            assert not over.is_open
            with pytest.raises(UsageError, match="not open"):
                await post(over)
            async with over:
                assert over.is_open
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
