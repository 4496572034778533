"""A client of an HTTP API with JSON and a token."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.parse import urljoin, urlsplit

from harness.errors import ServerError

_TIMEOUT = 30.0
_PAGES = 100
_LARGEST = 32 * 1024 * 1024
_NEXT = re.compile(r'<([^<>]*)>\s*;[^,]*\brel="?next"?')


class Refused(ServerError):
    """The API answered with an error; `wait` is the delay it requires before the next request."""

    def __init__(self, what: str, where: str, status: int, wait: float | None = None) -> None:
        super().__init__(what, where=where)
        self.status = status
        self.wait = wait

    @property
    def passing(self) -> bool:
        """Whether the same request may succeed later."""
        return self.status >= 500 or self.status == 429 or self.wait is not None


class Unreachable(ServerError):
    """The API could not be reached, or broke the connection."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The reply to a request; `next` is the url of the next page, empty after the last."""

    data: Any
    next: str


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Refuses redirects: following one would send the token to another server."""

    def redirect_request(self, *_arguments: Any, **_named: Any) -> None:
        return None


class Api:
    """Requests below a url; the headers hold the token and are sent nowhere else."""

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        self._url = url.rstrip("/")
        self._headers = {**headers, "Content-Type": "application/json", "User-Agent": "harness"}
        self._opener = urllib.request.build_opener(_NoRedirect)

    def paginate(self, path: str) -> Iterator[Any]:
        """The items of a list, page by page as the Link header leads (RFC 8288).

        Raises:
            ServerError: the API refuses, cannot be reached, or gives no list.
        """
        url = self._url + path
        for _ in range(_PAGES):
            reply = self._send("GET", url, None)
            if not isinstance(reply.data, list):
                raise Unreachable("did not answer with a list", where=self._named(url))
            yield from reply.data
            if not reply.next:
                return
            url = urljoin(url, reply.next)
            if urlsplit(url)[:2] != urlsplit(self._url)[:2]:
                raise Unreachable("leads to another server", where=self._named(self._url + path))

    def send(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """The reply of the API.

        Raises:
            ServerError: it refuses, or cannot be reached.
        """
        return self._send(method, self._url + path, body).data

    def _send(self, method: str, url: str, body: Mapping[str, Any] | None) -> Reply:
        where = f"{method} {self._named(url)}"
        data = None if body is None else json.dumps(body).encode()
        try:
            request = urllib.request.Request(  # noqa: S310 - the CI system names the url
                url, data, self._headers, method=method
            )
            with self._opener.open(request, timeout=_TIMEOUT) as answer:
                text = answer.read(_LARGEST)
                following = _NEXT.search(answer.headers.get("Link", ""))
                return Reply(json.loads(text or b"null"), following[1] if following else "")
        except urllib.error.HTTPError as error:
            with error:
                raise _refusal(error, where) from None
        except (OSError, HTTPException, ValueError) as error:
            reason = getattr(error, "reason", None) or error
            raise Unreachable(f"{type(error).__name__}: {reason}", where=where) from None

    def _named(self, url: str) -> str:
        return url.partition("?")[0]


def _refusal(error: urllib.error.HTTPError, where: str) -> Refused:
    try:
        message = json.loads(error.read(10_000)).get("message", "")
    except (OSError, HTTPException, ValueError, AttributeError):
        message = ""
    wait = error.headers.get("Retry-After", "")
    limited = error.code in (403, 429, 503) and wait.isascii() and wait.isdecimal()
    return Refused(
        f"{error.code} {message or error.reason}"[:300],
        where,
        error.code,
        float(wait) if limited else None,
    )
