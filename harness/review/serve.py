"""Serve pages for people on this machine."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import UsageError
from harness.review.store import ReviewStore

if TYPE_CHECKING:
    from starlette.types import ASGIApp

LOOPBACK = "127.0.0.1"
Links = Callable[[str], list[tuple[str, str]]]  # by the address of the server, with their names
_ALL = ("0.0.0.0", "::")  # noqa: S104 - told from a name, and used only where a user says so


def links(store: ReviewStore, base: str) -> list[tuple[str, str]]:
    """The link of each rater and of the overview, each with a name."""
    admin, _ = store.secrets()
    return [
        *((rater.name, f"{base}/r/{rater.secret}") for rater in store.raters()),
        ("overview", f"{base}/a/{admin}"),
    ]


def serve(store: ReviewStore, host: str, port: int, say: Callable[[str], None]) -> None:
    """Return after Ctrl-C; the links of a review are said once its pages are there.

    Raises:
        UsageError: Starlette or uvicorn is missing, or the address cannot be used.
    """

    def pages(names: Collection[str]) -> tuple[ASGIApp, Links]:
        from harness.review.app import ReviewApp

        return ReviewApp(store, names).asgi, lambda base: links(store, base)

    _serve(pages, host, port, say)


def serve_proposals(path: Path, host: str, port: int, say: Callable[[str], None]) -> None:
    """The same for the pages where a person accepts the proposals of a file.

    Raises:
        UsageError: as above, or the file is none of proposals.
    """

    def pages(names: Collection[str]) -> tuple[ASGIApp, Links]:
        from harness.review.proposal_pages import ProposalPages

        made = ProposalPages(path, names)
        return made.asgi, lambda base: [("proposals", f"{base}{made.home}")]

    _serve(pages, host, port, say)


def _serve(
    pages: Callable[[Collection[str]], tuple[ASGIApp, Links]],
    host: str,
    port: int,
    say: Callable[[str], None],
) -> None:
    try:
        import uvicorn

        app, links_at = pages({socket.gethostname(), socket.getfqdn(), host})
    except ModuleNotFoundError as error:
        raise UsageError(
            f"the page for people needs {error.name}",
            hint="pip install 'harness[review]'",
        ) from None
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        bound = socket.create_server((host, port), family=family)
    except OSError as error:
        code = error.errno or 0
        # Python adds the address to the system's words; what a name is not has codes below zero.
        why = os.strerror(code) if code > 0 else error.strerror
        raise UsageError(
            f"cannot listen on {host}:{port}: {why}",
            hint="give another --port, or a --host of this machine",
        ) from None
    shown = socket.gethostname() if host in _ALL else f"[{host}]" if ":" in host else host
    config = uvicorn.Config(
        app,
        # The secrets of links stand in paths.
        access_log=False,
        log_level="warning",
        server_header=False,
        proxy_headers=False,
        lifespan="off",
        timeout_graceful_shutdown=5,
    )
    with bound:
        for name, link in links_at(f"http://{shown}:{bound.getsockname()[1]}"):
            say(f"{name}: {link}")
        uvicorn.Server(config).run(sockets=[bound])
