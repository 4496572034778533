"""Whether a target's server is there at all: address, proxy, TLS."""

from __future__ import annotations

import asyncio
from typing import TypeGuard

from harness.client.failures import TransportFailed
from harness.client.transport.exchange import Reached, Transport
from harness.client.transport.route import Proxy
from harness.clock import SYSTEM_CLOCK
from harness.doctor.step import Step
from harness.doctor.visit import Visit
from harness.records.attempt import Failure
from harness.records.server_url import is_local


async def check_address(visit: Visit) -> Step:
    """Whether a connection stands; what fails behind it is left to the steps for it."""
    route = visit.dialect.route
    transport = Transport(route, generation=visit.settings, clock=SYSTEM_CLOCK)
    try:
        async with asyncio.timeout(visit.settings.case_timeout), transport as one:
            visit.reached = await one.reach()
    except TransportFailed as error:
        visit.reached = Failure(cause=error.cause, detail=error.detail)
    except TimeoutError:
        visit.reached = Failure(cause="connect", detail="no connection in time")
    found = visit.reached
    if isinstance(found, Failure) and not (_of_tls(found) or _of_proxy(found, route.proxy)):
        return Step(
            "address",
            "failed",
            f"{route.origin.place}: {found.detail}",
            "check host and port, that the server runs, and that a firewall lets you through",
        )
    path, _ = visit.dialect.build(visit.question())
    return Step("address", "ok", f"{route.origin.scheme}://{route.origin.authority}{path}")


async def check_proxy(visit: Visit) -> Step:
    """Whether a proxy is on the way, and lets through."""
    route = visit.dialect.route
    proxy, variable = route.proxy, f"{route.origin.scheme}_proxy"
    if proxy is None:
        return Step("proxy", "ok", "none is used")
    if isinstance(visit.reached, Failure) and _of_proxy(visit.reached, proxy):
        return Step(
            "proxy",
            "failed",
            visit.reached.detail,
            f"mend {variable}; or put {route.origin.host} into no_proxy, if it can be reached "
            "without",
        )
    return Step("proxy", "ok", f"through {proxy}, which {variable} names")


async def check_tls(visit: Visit) -> Step:
    """Whether the connection is encrypted, with a certificate that is trusted."""
    origin, found = visit.dialect.route.origin, visit.reached
    if isinstance(found, Failure):
        speaks_none = "no secure connection" in found.detail
        return Step(
            "TLS",
            "failed",
            found.detail,
            "does the server speak TLS on that port? If not, write http:// in `url`"
            if speaks_none
            else "name the authority's file in SSL_CERT_FILE, or mend the server's certificate",
        )
    if isinstance(found, Reached) and found.tls is not None:
        until = f", certificate until {found.expires}" if found.expires else ""
        return Step("TLS", "ok", f"{found.tls}{until}")
    if visit.dialect.credentials.headers and not is_local(origin.host):
        return Step(
            "TLS",
            "cannot",
            "not encrypted: everybody on the way can read the key and the answers",
            "write https:// in `url` if the server speaks it",
        )
    return Step("TLS", "ok", "not encrypted: the address begins with http://")


def _of_tls(found: Failure) -> TypeGuard[Failure]:
    return found.detail.startswith("TLS:")


def _of_proxy(found: Failure, proxy: Proxy | None) -> bool:
    return proxy is not None and str(proxy) in found.detail and not _of_tls(found)
