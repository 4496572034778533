"""Where a redirect leads, and whether it is followed: only to the server that was asked."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from urllib.parse import quote, urljoin, urlsplit

from harness.client.transport.route import Origin, Route

MOST = 3
_KEEPING_METHOD = frozenset({307, 308})
_PERMANENT = frozenset({301, 308})
_REDIRECTS = _KEEPING_METHOD | _PERMANENT | {302}


def path_to_follow(
    route: Route, asked: str, status: int, headers: Mapping[str, str]
) -> tuple[str, bool] | None:
    """The path at which to put the same request again, and whether for good; None for no path.

    A key goes to the origin that it is for and to no other one. 307 and 308 say that the same
    request is meant (RFC 9110, 15.4.8 and 15.4.9); after 301 and 302 it is put again where only
    a slash at the end differs.
    """
    if status not in _REDIRECTS or not (place := _location(route, asked, headers)):
        return None
    parts = urlsplit(place)
    if Origin.of(place) != route.origin:
        return None
    if status not in _KEEPING_METHOD and parts.path.rstrip("/") != _path(asked).rstrip("/"):
        return None
    path = quote(parts.path, safe="%/:=&~+!$,;'@()*") or "/"
    query = f"?{quote(parts.query, safe='%/:=&~+!$,;@()*?')}" if parts.query else ""
    return f"{path}{query}", status in _PERMANENT


def leads_to(route: Route, asked: str, headers: Mapping[str, str]) -> str:
    """The address that a redirect names, without the parts that can hold a secret; or nothing."""
    place = _location(route, asked, headers)
    parts = urlsplit(place)
    return f"{parts.scheme}://{Origin.of(place).authority}{parts.path}" if place else ""


def _location(route: Route, asked: str, headers: Mapping[str, str]) -> str:
    """The whole address in the Location header; empty where there is none for HTTP."""
    given = headers.get("location", "")
    with contextlib.suppress(ValueError):  # no address
        place = urljoin(f"{route.origin.scheme}://{route.origin.authority}{asked}", given)
        parts = urlsplit(place)
        if given and parts.scheme in ("http", "https") and parts.hostname:
            Origin.of(place)
            return place
    return ""


def _path(asked: str) -> str:
    return asked.partition("?")[0]
