"""What stands before every request: the host it is for, its size, and what a browser may do."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BYTES = 65_536
_HEADERS = (
    (
        b"content-security-policy",
        (
            b"default-src 'none'; img-src data:; style-src 'self'; script-src 'self'; "
            b"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        ),
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
)


class Shield:
    """Refuses requests for a name that is not this server's, from other sites, and large ones.

    A name that another site lets point here (DNS rebinding) would make its pages ours. An address
    in numbers cannot be such a name.
    """

    def __init__(self, app: ASGIApp, names: Collection[str]) -> None:
        self._app = app
        self._names = {"localhost", *(name.lower() for name in names)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        if not self._ours(headers.get(b"host", "")):
            await _refuse(send, 421, "This address is not of this server. Use the link you got.")
        elif scope["method"] == "POST" and headers.get(b"sec-fetch-site", "none") not in (
            "same-origin",
            "none",
        ):
            await _refuse(send, 403, "This form was sent by another site.")
        elif scope["method"] == "POST" and _length(headers) is None:
            await _refuse(send, 413, "This is too long. Shorten the comment.")
        else:
            await self._app(scope, receive, _with_headers(send))

    def _ours(self, host: str) -> bool:
        name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
        name = name.strip("[]").lower()
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return name in self._names
        return True


def _length(headers: dict[bytes, str]) -> int | None:
    """The length of a body that is not too long, None for one that is or that does not say."""
    given = headers.get(b"content-length", "")
    return int(given) if given.isdigit() and int(given) <= MOST_BYTES else None


def _with_headers(send: Send) -> Any:
    async def answer(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", ()), *_HEADERS]}
        await send(message)

    return answer


async def _refuse(send: Send, status: int, text: str) -> None:
    answer = _with_headers(send)
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    await answer({"type": "http.response.start", "status": status, "headers": headers})
    await answer({"type": "http.response.body", "body": text.encode()})
