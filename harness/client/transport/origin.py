"""The two ends that a connection can be made to: a server, and a proxy on the way to it."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from urllib.parse import quote, unquote, urlsplit

from harness.errors import UsageError

_PORTS = {"http": 80, "https": 443}


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
    """A proxy, and the header that names us to it; neither is ever shown."""

    origin: Origin
    authorization: str | None = field(repr=False)

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
