"""Opening connections: host names, addresses, TLS, and the tunnel of a proxy."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from harness.client.failures import TransportFailed, connect_failure
from harness.client.transport.connection import Connection
from harness.client.transport.route import Origin, Proxy

_LONGEST_HEAD = 64 * 1024
_FRESH = 10.0
_TLS_CLOSE = 0.5

P = TypeVar("P", bound=asyncio.BaseProtocol)


class Addresses:
    """The addresses of one host, looked up again after some seconds or after `forget`."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._lookup: asyncio.Future[list[Any]] | None = None
        self._begun = 0.0

    async def find(self) -> list[str]:
        """The host's addresses, in the order in which the system would try them.

        Raises:
            OSError: the name is not known, or nobody could be asked.
            UnicodeError: it cannot be a name.
        """
        loop = asyncio.get_running_loop()
        lookup = self._lookup
        # A failed one is not kept; every caller that waits for it gets the error.
        failed = lookup is not None and lookup.done() and (lookup.cancelled() or lookup.exception())
        if lookup is None or failed or loop.time() - self._begun > _FRESH:
            found = loop.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
            self._lookup = lookup = asyncio.ensure_future(found)
            self._begun = loop.time()
        # A caller that is cancelled does not cancel the lookup for the others.
        return [str(address[0]) for *_, address in await asyncio.shield(lookup)]

    def forget(self) -> None:
        """Look the host up again at the next request for it."""
        self._lookup = None


class Connector:
    """Opens connections to one server, straight or through a proxy, each within `timeout`."""

    def __init__(self, origin: Origin, proxy: Proxy | None, timeout: float) -> None:
        self._origin = origin
        self._proxy = proxy
        self._timeout = timeout
        self._context: ssl.SSLContext | None = None
        first = origin if proxy is None else proxy.origin
        self._first = first
        self._addresses = Addresses(first.host, first.port)

    async def connect(self, make: Callable[[], Connection]) -> Connection:
        """An open connection.

        Raises:
            TransportFailed: there is none, and why.
        """
        try:
            async with asyncio.timeout(self._timeout):
                if self._proxy is None:
                    return (await self._connect(make))[1]
                try:
                    if self._origin.secure:
                        return await self._connect_through(self._proxy, make)
                    return (await self._connect(make))[1]
                except TransportFailed:
                    raise
                except (OSError, ValueError) as error:
                    words = connect_failure(error).detail
                    raise TransportFailed("connect", f"{self._proxy}: {words}") from None
        except (OSError, ValueError) as error:
            failed = connect_failure(error)
            raise failed if self._proxy is None else through(self._proxy, failed) from None

    async def _connect(self, make: Callable[[], P]) -> tuple[asyncio.Transport, P]:
        """A connection to the server or the proxy, at the first of its addresses that takes one.

        An address that does not answer costs its share of the time, not all of it.
        """
        loop = asyncio.get_running_loop()
        first = self._first
        deadline = loop.time() + self._timeout
        found = await self._addresses.find()
        last: Exception = OSError()
        for number, address in enumerate(found):
            share = (deadline - loop.time()) / (len(found) - number)
            try:
                async with asyncio.timeout(share):
                    return await loop.create_connection(
                        make,
                        address,
                        first.port,
                        ssl=self._tls() if first.secure else None,
                        server_hostname=first.host if first.secure else None,
                        ssl_shutdown_timeout=_TLS_CLOSE if first.secure else None,
                    )
            except ssl.SSLError:
                raise
            except OSError as error:
                last = error
        self._addresses.forget()
        raise last

    async def _connect_through(self, proxy: Proxy, make: Callable[[], Connection]) -> Connection:
        """A connection in a tunnel that the proxy opens (RFC 9110, 9.3.6)."""
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader()
        tunnel, _ = await self._connect(lambda: asyncio.StreamReaderProtocol(reader))
        place = self._origin.place
        request = [f"CONNECT {place} HTTP/1.1", f"Host: {place}"]
        if proxy.authorization is not None:
            request.append(f"Proxy-Authorization: {proxy.authorization}")
        try:
            await _open_tunnel(tunnel, reader, request, proxy)
            connection = make()
            transport = await loop.start_tls(
                tunnel,
                connection,
                self._tls(),
                server_hostname=self._origin.host,
                ssl_shutdown_timeout=_TLS_CLOSE,
            )
        except BaseException as error:
            tunnel.abort()
            if isinstance(error, OSError | ValueError):
                raise through(proxy, connect_failure(error)) from None
            raise
        if transport is None:
            raise through(proxy, TransportFailed("connect", "TLS: no secure connection"))
        connection.connection_made(transport)
        return connection

    def _tls(self) -> ssl.SSLContext:
        """The trusted certificates, read once: those of the system or of `SSL_CERT_FILE`."""
        if self._context is None:
            self._context = ssl.create_default_context()
            self._context.set_alpn_protocols(["http/1.1"])
        return self._context


def through(proxy: Proxy, failed: TransportFailed) -> TransportFailed:
    """The failure, with the proxy named that stood in between."""
    return TransportFailed(failed.cause, f"{failed.detail} (through {proxy})")


async def _open_tunnel(
    transport: asyncio.Transport, reader: asyncio.StreamReader, request: Sequence[str], proxy: Proxy
) -> None:
    """Return when the proxy has opened the tunnel.

    Raises:
        TransportFailed: the proxy refuses, or does not speak HTTP.
    """
    transport.write("\r\n".join([*request, "", ""]).encode("ascii"))
    received = b""
    while b"\r\n\r\n" not in received and len(received) <= _LONGEST_HEAD:
        with contextlib.suppress(OSError):
            if more := await reader.read(_LONGEST_HEAD):
                received += more
                continue
        raise TransportFailed("connect", f"{proxy} closed the connection")
    head, end, rest = received.partition(b"\r\n\r\n")
    words = head.partition(b"\r\n")[0].split(b" ", 2)
    speaks = len(words) >= 2 and words[0].startswith(b"HTTP/1.") and words[1].isdigit()
    granted = speaks and len(words[1]) == 3 and words[1].startswith(b"2")
    # A server that speaks before the handshake speaks no TLS.
    if not end or not speaks or (granted and rest):
        raise TransportFailed("connect", f"what {proxy} answers is not HTTP")
    if not granted:
        raise TransportFailed("connect", f"{proxy} refused: HTTP {words[1][:3].decode()}")
