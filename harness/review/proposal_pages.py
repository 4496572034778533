"""The pages where a person accepts proposals: one a screen, every choice written to their file."""

from __future__ import annotations

import hmac
import secrets
import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from harness.data.collect.proposals import Proposal, read_proposals, write_proposals
from harness.errors import HarnessError
from harness.review.app import see, static, told
from harness.review.pages import page
from harness.review.shield import Shield

if TYPE_CHECKING:
    from starlette.requests import Request

_ACCEPT = {"yes": True, "no": False, "open": None}


@dataclass(frozen=True, slots=True)
class Progress:
    """How many of the proposals were decided, of how many."""

    done: int
    total: int


class ProposalPages:
    """The pages of one file of proposals; `asgi` is what a server runs.

    `names` are those that the server has besides localhost. Only who has the `secret` of the link
    sees them.

    Raises:
        UsageError: the file is none of proposals.
    """

    def __init__(self, path: Path, names: Collection[str] = ()) -> None:
        self.secret = secrets.token_urlsafe(16)
        self._path = path
        self._writing = threading.Lock()
        read_proposals(path)
        routes = [
            Route("/static/{name}", static),
            Route("/p/{secret}", self._of_holder(self._start)),
            Route("/p/{secret}/done", self._of_holder(self._done)),
            Route("/p/{secret}/{place:int}", self._of_holder(self._item), methods=["GET", "POST"]),
        ]
        self.asgi = Shield(Starlette(routes=routes), names)

    @property
    def home(self) -> str:
        """Where the pages are."""
        return f"/p/{self.secret}"

    def _of_holder(
        self, handle: Callable[[list[Proposal], int, dict[str, str]], Response]
    ) -> Callable[..., Any]:
        """An endpoint for whoever has the link; what fails is said on a page of its own."""

        async def endpoint(request: Request) -> Response:
            if not hmac.compare_digest(
                request.path_params["secret"].encode(), self.secret.encode()
            ):
                return told(404, "No such link", "Use the link that you got, all of it.")
            form: dict[str, str] = {}
            if request.method == "POST":
                body = (await request.body()).decode("utf-8", "replace")
                form = dict(parse_qsl(body, keep_blank_values=True))

            def answer() -> Response:
                with self._writing:
                    place = int(request.path_params.get("place", 0))
                    return handle(list(read_proposals(self._path)), place, form)

            try:
                return await run_in_threadpool(answer)
            except HarnessError as error:
                return told(503, "Not saved", error.line, request.url.path, form)

        return endpoint

    def _start(self, proposals: list[Proposal], _: int, __: dict[str, str]) -> Response:
        return see(self._next(proposals, 0))

    def _next(self, proposals: list[Proposal], after: int) -> str:
        """Where the next open proposal is, from the beginning after the last."""
        places = [place for place, one in enumerate(proposals, 1) if one.accept is None]
        found = next((place for place in places if place > after), next(iter(places), None))
        return f"{self.home}/done" if found is None else f"{self.home}/{found}"

    def _done(self, proposals: list[Proposal], _: int, __: dict[str, str]) -> Response:
        accepted = sum(one.accept is True for one in proposals)
        rejected = sum(one.accept is False for one in proposals)
        text = page(
            "proposals_done.html.j2",
            home=self.home,
            accepted=accepted,
            rejected=rejected,
            left=len(proposals) - accepted - rejected,
            file=self._path.name,
        )
        return HTMLResponse(text)

    def _item(self, proposals: list[Proposal], place: int, form: dict[str, str]) -> Response:
        if not 1 <= place <= len(proposals):
            return told(404, "No such proposal", "Open your link again.")
        one = proposals[place - 1]
        if form:
            return self._save(proposals, place, form)
        progress = Progress(sum(each.accept is not None for each in proposals), len(proposals))
        text = page("proposal.html.j2", one=one, place=place, progress=progress, home=self.home)
        return HTMLResponse(text)

    def _save(self, proposals: list[Proposal], place: int, form: dict[str, str]) -> Response:
        one, here = proposals[place - 1], f"{self.home}/{place}"
        asked = tuple(
            form.get(f"asked.{number}", text).strip() or text if isinstance(text, str) else text
            for number, text in enumerate(one.asked)
        )
        accept = _ACCEPT.get(form.get("accept", ""), one.accept)
        answer = form.get("answer", one.answer).strip()
        if accept and not answer and not one.expect:
            what = "Write the answer that is right, then accept it."
            return told(422, "An accepted group needs an answer", what, here, button="Back")
        update = {"asked": asked, "answer": answer, "accept": accept}
        proposals[place - 1] = one.model_copy(update=update)
        write_proposals(self._path, proposals)
        return see(here if "accept" not in form else self._next(proposals, place))
