"""How a server is reached: its address, and the proxy on the way."""

from __future__ import annotations

import base64
import contextlib
import ipaddress
import urllib.request
from dataclasses import dataclass, field
from urllib.parse import quote, unquote, urlsplit

from harness.client.transport.no_proxy import is_exempt
from harness.errors import UsageError

_PORTS = {"http": 80, "https": 443}
KEEPALIVE = 4.0  # shorter than uvicorn's 5 s, so that no request meets a connection being closed


class Route:
    """A server's base address, its origin, and the environment's proxy for it.

    Raises:
        UsageError: the address holds credentials, or is none; the proxy cannot be used.
    """

    def __init__(self, url: str) -> None:
        parts, origin = urlsplit(""), None
        with contextlib.suppress(ValueError):  # a port or a name that cannot be one
            parts = urlsplit(url)
            if parts.scheme in _PORTS and parts.hostname:
                origin = Origin.of(url)
        if origin is None:
            place = url if "@" not in url else "url"
            raise UsageError("is not an address", where=place, hint="write http://host:port/v1")
        if parts.username is not None or parts.password is not None:
            raise UsageError(
                "the address holds credentials",
                where=origin.host,
                hint="put the key into an environment variable and name it in `api_key_env`",
            )
        self.url = url.rstrip("/")
        self.origin = origin
        proxy = _proxy(origin, parts.netloc)
        self.proxy = None if proxy is None else Proxy.of(proxy)

    @property
    def by_proxy(self) -> str:
        """Words that name the proxy from which a status may be; none where it sees no status."""
        return "" if self.proxy is None or self.origin.secure else f" (through {self.proxy})"


def _proxy(origin: Origin, netloc: str) -> str | None:
    """The environment's proxy for the address; none on loopback.

    Sessions never trust the environment by themselves: that would also send what ~/.netrc holds.
    """
    if origin.host == "localhost" or _is_loopback(origin.host):
        return None
    named = urllib.request.getproxies_environment()
    if not named:  # on some systems there are settings, with exceptions of their own
        given = urllib.request.getproxies()
        return None if urllib.request.proxy_bypass(netloc) else given.get(origin.scheme)
    exempt = is_exempt(named.get("no", ""), origin.host, origin.port)
    return None if exempt else named.get(origin.scheme)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class Origin:
    """A scheme, a host and a port."""

    scheme: str
    host: str
    port: int

    @classmethod
    def of(cls, url: str) -> Origin:
        """The origin of an address that is known to be one."""
        parts = urlsplit(url)
        host = parts.hostname or ""
        if not host.isascii():
            host = host.encode("idna").decode("ascii")
        return cls(parts.scheme, host, parts.port or _PORTS[parts.scheme])

    @property
    def secure(self) -> bool:
        """Whether the connection is encrypted."""
        return self.scheme == "https"

    @property
    def place(self) -> str:
        """Host and port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def authority(self) -> str:
        """The `Host` header: the port only where it is not the scheme's own."""
        return self.place.rpartition(":")[0] if self.port == _PORTS[self.scheme] else self.place


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy, and the header that names us to it, which is never printed."""

    origin: Origin
    authorization: str | None = field(repr=False)

    def __str__(self) -> str:
        return f"the proxy {self.origin.place}"

    @classmethod
    def of(cls, url: str) -> Proxy:
        """The proxy at the address, `http://` where it names no scheme.

        Raises:
            UsageError: it is not the address of an HTTP proxy.
        """
        wrong = UsageError(
            "the proxy in the environment is not the address of an HTTP proxy",
            hint="write http://host:port into http_proxy and https_proxy",
        )
        try:
            parts = urlsplit(url if "://" in url else f"http://{url}")
            if parts.scheme not in _PORTS or not parts.hostname:
                raise wrong
            origin = Origin.of(parts.geturl())
        except ValueError:
            raise wrong from None
        if parts.username is None:
            return cls(origin, None)
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        return cls(origin, f"Basic {base64.b64encode(pair.encode()).decode()}")


def path_of(url: str) -> str:
    """The path of an address as a request names it."""
    return quote(urlsplit(url).path, safe="%/:=&~+!$,;'@()*")
