"""Where a host is: its addresses, looked up once for all who ask at the same time."""

from __future__ import annotations

import asyncio
import socket

_FRESH = 10.0


class Addresses:
    """The addresses of one host, looked up again after some seconds or when told to `forget`."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._lookup: asyncio.Task[list[str]] | None = None
        self._begun = 0.0

    async def find(self) -> list[str]:
        """The host's addresses, in the order in which the system would try them.

        Raises:
            OSError: the name is not known, or nobody could be asked.
            UnicodeError: it cannot be a name.
        """
        now = asyncio.get_running_loop().time()
        if self._lookup is None or now - self._begun > _FRESH:
            self._lookup = asyncio.create_task(self._look_up())
            self._lookup.add_done_callback(self._check)
            self._begun = now
        # Whoever gives up does not take the others' answer with them.
        return await asyncio.shield(self._lookup)

    def forget(self) -> None:
        """Look the host up anew for whoever asks next."""
        self._lookup = None

    async def _look_up(self) -> list[str]:
        found = await asyncio.get_running_loop().getaddrinfo(
            self._host, self._port, type=socket.SOCK_STREAM
        )
        return [str(address[0]) for *_, address in found]

    def _check(self, lookup: asyncio.Task[list[str]]) -> None:
        """Keep no failure; each of those who wait is told of it."""
        if (lookup.cancelled() or lookup.exception() is not None) and self._lookup is lookup:
            self._lookup = None
