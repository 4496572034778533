"""How a server is reached: its address, its key, and the proxy on the way."""

from __future__ import annotations

import ipaddress
import urllib.request
from urllib.parse import urlsplit

from harness.errors import UsageError

_KEEPALIVE = 4.0  # shorter than uvicorn's 5 s, so that no request meets a connection being closed


class Route:
    """A server's base address with `/v1`, and what a session to it needs.

    Raises:
        UsageError: the address holds credentials, is none, or the key cannot be a header.
    """

    __slots__ = ("_api_key", "host", "proxy", "url")

    keepalive = _KEEPALIVE

    def __init__(self, url: str, api_key: str | None) -> None:
        try:
            parts = urlsplit(url)
            host = parts.hostname or ""
            _ = parts.port
            host.encode("ascii" if host.isascii() else "idna")
        except ValueError:
            parts, host = urlsplit(""), ""
        if parts.scheme not in ("http", "https") or not host:
            shown = url if "@" not in url else "url"
            raise UsageError("is not an address", where=shown, hint="write http://host:port/v1")
        if parts.username is not None or parts.password is not None:
            raise UsageError(
                "the address holds credentials",
                where=host,
                hint="put the key into an environment variable and name it in `api_key_env`",
            )
        if api_key is not None and not (api_key.isascii() and api_key.isprintable()):
            raise UsageError(
                "the API key holds characters that no header can carry",
                where=host,
                hint="look for a line end or a quote in the environment variable",
            )
        self.url = url.rstrip("/")
        self.host = host
        self.proxy = _proxy(parts.scheme, parts.netloc, host)
        self._api_key = api_key

    def headers(self) -> dict[str, str]:
        """The headers of every request."""
        return {"Authorization": f"Bearer {self._api_key}"} if self._api_key else {}

    def redact(self, text: str) -> str:
        """The text without the key, should a server have put it there."""
        return text.replace(self._api_key, "***") if self._api_key else text


def _proxy(scheme: str, netloc: str, host: str) -> str | None:
    """The environment's proxy for the address; none on loopback.

    Sessions never trust the environment by themselves: that would also send what ~/.netrc holds.
    """
    if host == "localhost" or _is_loopback(host) or urllib.request.proxy_bypass(netloc):
        return None
    return urllib.request.getproxies().get(scheme)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
