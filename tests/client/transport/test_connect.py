"""How connections come about: TLS, proxies, names, and every way in which none does."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from harness.client.failures import TransportFailed
from harness.client.transport.connect import Addresses
from tests.client.raw import RawServer, Step, plain, post, read_request, transport

OK = [plain(b"ok")]
YESTERDAY = datetime.now(UTC) - timedelta(days=1)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def trusted(
    authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    return


def context(certificate: trustme.LeafCert) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(made)
    return made


async def not_connected(url: str, **limits: float) -> str:
    async with transport(url, **limits) as over:
        with pytest.raises(TransportFailed) as caught:
            await post(over)
    assert caught.value.cause == "connect"
    return caught.value.detail


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_tls(authority: trustme.CA, host: str) -> None:
    tls = context(authority.issue_cert(host))
    async with (
        RawServer([OK, OK], tls=tls) as server,
        transport(server.url.replace("127.0.0.1", host)) as over,
    ):
        assert (await post(over)).body == b"ok"
        assert (await post(over)).body == b"ok"
    assert [len(one) for one in server.requests] == [2]


@pytest.mark.usefixtures("trusted")
async def test_an_answer_over_tls_that_ends_with_the_connection(authority: trustme.CA) -> None:
    tls = context(authority.issue_cert("127.0.0.1"))
    until_close = [b"HTTP/1.1 200 OK\r\n\r\n", b"hel", b"lo", Step.CLOSE]
    async with RawServer([until_close], tls=tls) as server, transport(server.url) as over:
        assert (await post(over)).body == b"hello"


@pytest.mark.usefixtures("trusted")
async def test_a_certificate_for_another_host(authority: trustme.CA) -> None:
    async with RawServer([OK], tls=context(authority.issue_cert("other.example"))) as server:
        detail = await not_connected(server.url)
    assert detail.startswith("TLS: the certificate is not accepted: ")
    assert "127.0.0.1" in detail


@pytest.mark.usefixtures("trusted")
async def test_an_expired_certificate(authority: trustme.CA) -> None:
    old = authority.issue_cert("127.0.0.1", not_after=YESTERDAY)
    async with RawServer([OK], tls=context(old)) as server:
        detail = await not_connected(server.url)
    assert detail == "TLS: the certificate is not accepted: certificate has expired"


@pytest.mark.usefixtures("trusted")
async def test_a_certificate_of_an_unknown_authority() -> None:
    stranger = trustme.CA().issue_cert("127.0.0.1")
    async with RawServer([OK], tls=context(stranger)) as server:
        detail = await not_connected(server.url)
    assert detail.startswith("TLS: the certificate is not accepted: ")
    assert "issuer" in detail


async def test_tls_to_a_server_that_speaks_none() -> None:
    class Plain(RawServer):
        async def talk(
            self, requests: list[bytes], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
        ) -> None:
            await reader.read(1)
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with Plain() as server:
        detail = await not_connected(server.url.replace("http:", "https:"))
    assert detail.startswith("TLS: no secure connection")


async def test_a_handshake_that_never_ends() -> None:
    async with RawServer([[Step.HANG]]) as server:
        url = server.url.replace("http:", "https:")
        assert await not_connected(url, connect_timeout=0.1) == "no connection in time"


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6 here")
async def test_an_address_of_the_sixth_version() -> None:
    try:
        async with RawServer([OK], host="::1") as server, transport(server.url) as over:
            assert (await post(over)).body == b"ok"
    except OSError:
        pytest.skip("no IPv6 on loopback here")
    assert f"Host: [::1]:{server.port}\r\n".encode() in server.requests[0][0]


async def test_the_second_address_is_tried_where_the_first_refuses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def both(*_: object, **__: object) -> list[object]:
        kind = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
        return [(*kind, ("127.0.0.99", server.port)), (*kind, ("127.0.0.1", server.port))]

    async with RawServer([OK]) as server, transport(server.url) as over:
        loop = asyncio.get_running_loop()
        if not hasattr(loop, "__dict__"):
            pytest.skip("this loop's methods cannot be replaced")
        monkeypatch.setattr(loop, "getaddrinfo", both, raising=False)
        assert (await post(over)).body == b"ok"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://127.0.0.1:1/v1", "cannot connect: Connection refused"),
        ("http://no-such-host.invalid/v1", "the host's name is not known"),
        (f"http://{'x' * 70}.invalid/v1", "the host's name is not known"),
        ("https://no-such-host.invalid/v1", "the host's name is not known"),
    ],
)
async def test_no_connection(url: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("urllib.request.getproxies", dict)
    assert words in await not_connected(url)


class ConnectProxy(RawServer):
    """Opens tunnels, all of them to one port of loopback, or says what it is told to say."""

    def __init__(
        self, port: int, says: bytes = b"HTTP/1.1 200 Connected\r\nVia: x\r\n\r\n"
    ) -> None:
        super().__init__()
        self._port = port
        self._says = says

    async def talk(
        self, requests: list[bytes], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        requests.append(await read_request(reader))
        writer.write(self._says)
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._port)
        with contextlib.closing(far_writer):
            await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
    if writer.can_write_eof():
        writer.write_eof()


@pytest.fixture
def proxied(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("no_proxy", "")
    return monkeypatch


@pytest.mark.usefixtures("trusted")
async def test_a_tunnel_through_a_proxy(authority: trustme.CA, proxied: pytest.MonkeyPatch) -> None:
    tls = context(authority.issue_cert("chat.invalid"))
    async with RawServer([OK, OK], tls=tls) as server, ConnectProxy(server.port) as proxy:
        proxied.setenv("https_proxy", f"http://me:p%40ss@127.0.0.1:{proxy.port}")
        async with transport("https://chat.invalid/v1") as over:
            assert (await post(over)).body == b"ok"
            assert (await post(over)).body == b"ok"
    assert proxy.requests == [
        [
            (
                b"CONNECT chat.invalid:443 HTTP/1.1\r\nHost: chat.invalid:443\r\n"
                b"Proxy-Authorization: Basic bWU6cEBzcw==\r\n\r\n"
            )
        ]
    ]
    assert server.requests[0][0].startswith(b"POST /v1/x HTTP/1.1\r\nHost: chat.invalid\r\n")
    assert b"Proxy-Authorization" not in server.requests[0][0]


@pytest.mark.usefixtures("trusted")
async def test_a_proxy_reached_over_tls(authority: trustme.CA, proxied: pytest.MonkeyPatch) -> None:
    tls = context(authority.issue_cert("127.0.0.1"))
    async with RawServer([OK], tls=tls) as proxy:
        proxied.setenv("http_proxy", f"https://127.0.0.1:{proxy.port}")
        async with transport("http://chat.invalid/v1") as over:
            assert (await post(over)).body == b"ok"


@pytest.mark.usefixtures("trusted")
async def test_a_certificate_for_another_host_behind_a_proxy(
    authority: trustme.CA, proxied: pytest.MonkeyPatch
) -> None:
    tls = context(authority.issue_cert("other.invalid"))
    async with RawServer([OK], tls=tls) as server, ConnectProxy(server.port) as proxy:
        proxied.setenv("https_proxy", f"http://127.0.0.1:{proxy.port}")
        detail = await not_connected("https://chat.invalid/v1")
    assert detail.startswith("TLS: the certificate is not accepted: ")
    assert detail.endswith(f" (through the proxy 127.0.0.1:{proxy.port})")


@pytest.mark.parametrize(
    ("says", "words"),
    [
        (
            b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n",
            "the proxy 127.0.0.1:PORT refused: HTTP 407",
        ),
        (
            b"HTTP/1.0 503 X\r\nContent-Length: 4\r\n\r\ndown",
            "the proxy 127.0.0.1:PORT refused: HTTP 503",
        ),
        (b"SSH-2.0-x\r\n\r\n", "what the proxy 127.0.0.1:PORT answers is not HTTP"),
        (b"HTTP/1.1 200 OK\r\n\r\nand more", "what the proxy 127.0.0.1:PORT answers is not HTTP"),
        (b"x" * 70_000, "what the proxy 127.0.0.1:PORT answers is not HTTP"),
    ],
)
async def test_a_proxy_that_opens_no_tunnel(
    says: bytes, words: str, proxied: pytest.MonkeyPatch
) -> None:
    async with RawServer([OK]) as server, ConnectProxy(server.port, says) as proxy:
        proxied.setenv("https_proxy", f"http://me:secret@127.0.0.1:{proxy.port}")
        detail = await not_connected("https://chat.invalid/v1")
    assert detail.startswith(words.replace("PORT", str(proxy.port)))


async def test_a_proxy_that_is_silent_or_goes(proxied: pytest.MonkeyPatch) -> None:
    for step, limit, words in [
        (Step.HANG, 0.1, "no connection in time (through the proxy {})"),
        (Step.CLOSE, 10.0, "the proxy {} closed the connection"),
    ]:
        async with RawServer([[step]]) as proxy:
            proxied.setenv("https_proxy", f"http://127.0.0.1:{proxy.port}")
            detail = await not_connected("https://chat.invalid/v1", connect_timeout=limit)
        assert detail == words.format(f"127.0.0.1:{proxy.port}")


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_proxy_that_is_not_there(scheme: str, proxied: pytest.MonkeyPatch) -> None:
    proxied.setenv(f"{scheme}_proxy", "http://me:secret@127.0.0.1:1")
    detail = await not_connected(f"{scheme}://chat.invalid/v1")
    assert detail == "the proxy 127.0.0.1:1: cannot connect: Connection refused"


async def test_a_plain_request_through_a_proxy_names_the_whole_address(
    proxied: pytest.MonkeyPatch,
) -> None:
    async with RawServer([OK]) as proxy:
        proxied.setenv("http_proxy", f"http://me:p%40ss@127.0.0.1:{proxy.port}")
        async with transport("http://chat.invalid:8000/v1") as over:
            assert (await post(over)).body == b"ok"
    request = proxy.requests[0][0]
    assert request.startswith(b"POST http://chat.invalid:8000/v1/x HTTP/1.1\r\nHost: chat.invalid:")
    assert b"Proxy-Authorization: Basic bWU6cEBzcw==\r\n" in request


class Names:
    """A name service that answers when it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked = 0
        self.fails = False
        self.answers = asyncio.Event()
        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", self._answer, raising=False)

    async def _answer(self, host: str, port: int, *, type: int) -> list[object]:  # noqa: A002
        self.asked += 1
        await self.answers.wait()
        if self.fails:
            raise socket.gaierror(-2, "Name or service not known")
        return [
            (socket.AF_INET6, type, 6, "", ("::1", port, 0, 0)),
            (socket.AF_INET, type, 6, "", ("127.0.0.1", port)),
        ]


async def test_those_who_ask_at_once_share_a_lookup(monkeypatch: pytest.MonkeyPatch) -> None:
    names = Names(monkeypatch)
    addresses = Addresses("chat.example", 80)
    asking = [asyncio.ensure_future(addresses.find()) for _ in range(50)]
    await asyncio.sleep(0)
    asking.pop().cancel()
    names.answers.set()
    assert await asyncio.gather(*asking) == [["::1", "127.0.0.1"]] * 49
    assert await addresses.find() == ["::1", "127.0.0.1"]
    assert names.asked == 1
    addresses.forget()
    await addresses.find()
    assert names.asked == 2


async def test_a_lookup_grows_old(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.client.transport.connect._FRESH", -1.0)
    names = Names(monkeypatch)
    names.answers.set()
    addresses = Addresses("chat.example", 80)
    for _ in range(2):
        await addresses.find()
    assert names.asked == 2


async def test_a_failure_is_told_to_all_and_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    names = Names(monkeypatch)
    names.fails = True
    names.answers.set()
    addresses = Addresses("chat.example", 80)
    told = await asyncio.gather(*(addresses.find() for _ in range(5)), return_exceptions=True)
    assert {type(one) for one in told} == {socket.gaierror}
    assert names.asked == 1
    names.fails = False
    assert await addresses.find()
    assert names.asked == 2
