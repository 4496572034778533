"""The web application: one item a screen, and every choice a form that a browser posts."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from harness.clock import SYSTEM_CLOCK, Clock, iso
from harness.errors import HarnessError
from harness.review.pages import STATIC, page, static_file
from harness.review.sheets import questions_of, shown
from harness.review.shield import Shield
from harness.review.standing import standing
from harness.review.store import ReviewStore
from harness.review.stored import Rater, Sheet

if TYPE_CHECKING:
    from starlette.requests import Request

_DEVICE = "device"
# As long as one device has used a link, another one is asked whether that is the same person.
_ASKED_SECONDS = 1800.0
_SEEN_SECONDS = 60.0
_LONGEST_COMMENT = 4000


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of a rater: who, from which device, and what the form says."""

    rater: Rater
    device: str
    fresh: bool
    form: dict[str, str]

    @property
    def home(self) -> str:
        """Where the rater's pages are."""
        return f"/r/{self.rater.secret}"


class ReviewApp:
    """The pages of one review; `asgi` is what a server runs.

    `names` are those that the server has besides localhost.
    """

    def __init__(
        self, store: ReviewStore, names: Collection[str] = (), clock: Clock = SYSTEM_CLOCK
    ) -> None:
        self._store, self._clock = store, clock
        self._draw = store.draw()
        self._admin, self._key = store.secrets()
        routes = [
            Route("/static/{name}", static),
            Route("/r/{secret}", self._of_rater(self._start), methods=["GET", "POST"]),
            Route("/r/{secret}/done", self._of_rater(self._done), methods=["GET", "POST"]),
            Route("/r/{secret}/{place:int}", self._of_rater(self._item), methods=["GET", "POST"]),
            Route("/a/{secret}", self._overview),
        ]
        self.asgi = Shield(Starlette(routes=routes), names)

    def _of_rater(self, handle: Callable[[Visit, int], Response]) -> Callable[..., Any]:
        """An endpoint for whoever has a rater's link; what fails is said on a page of its own."""

        async def endpoint(request: Request) -> Response:
            form: dict[str, str] = {}
            if request.method == "POST":
                body = (await request.body()).decode("utf-8", "replace")
                form = dict(parse_qsl(body, keep_blank_values=True))
            try:
                return await run_in_threadpool(self._visit, request, form, handle)
            except HarnessError as error:
                return told(503, "Not saved", error.line, request.url.path, form)

        return endpoint

    def _visit(
        self, request: Request, form: dict[str, str], handle: Callable[[Visit, int], Response]
    ) -> Response:
        rater = self._store.rater(request.path_params["secret"])
        if rater is None:
            return told(404, "No such link", "Use the link that you got, all of it.")
        known = request.cookies.get(_DEVICE, "")
        path = request.url.path
        if request.method == "POST" and not hmac.compare_digest(
            form.pop("token", ""), self._token(known)
        ):
            what = "Open your link again, and allow this page its cookie."
            return told(403, "Not saved: this form is not from your page", what)
        visit = Visit(rater, known or secrets.token_hex(16), not known, form)
        moment = self._clock.utc().timestamp()
        other = rater.device not in (None, visit.device)
        if other and moment - rater.seen < _ASKED_SECONDS and form.pop("here", "") != "yes":
            answer = self._ask_whether_same(visit, path)
        else:
            if other or rater.device is None or moment - rater.seen > _SEEN_SECONDS:
                self._store.seen(rater.id, visit.device, moment)
            asks = request.method == "GET" or form
            place = int(request.path_params.get("place", 0))
            answer = handle(visit, place) if asks else see(path)
        if visit.fresh:
            answer.set_cookie(
                *(_DEVICE, visit.device), path=visit.home, httponly=True, samesite="lax"
            )
        return answer

    def _ask_whether_same(self, visit: Visit, path: str) -> Response:
        what = (
            f"The link of {visit.rater.name} is in use on another device or browser. "
            "Two people on one link would be counted as one."
        )
        fields = {**visit.form, "here": "yes", "token": self._token(visit.device)}
        return told(409, "Is that you as well?", what, path, fields, "It is me: go on here")

    def _start(self, visit: Visit, _: int) -> Response:
        return see(self._next(visit, 0))

    def _next(self, visit: Visit, after: int) -> str:
        place = self._store.next_place(visit.rater.id, after)
        return f"{visit.home}/done" if place is None else f"{visit.home}/{place}"

    def _done(self, visit: Visit, _: int) -> Response:
        if "undo" in visit.form:
            return self._undo(visit, f"{visit.home}/done")
        progress = self._store.progress(visit.rater.id)
        text = page("done.html.j2", visit=visit, progress=progress, token=self._token(visit.device))
        return HTMLResponse(text)

    def _item(self, visit: Visit, place: int) -> Response:
        sheet = self._store.sheet(visit.rater.id, place)
        if sheet is None:
            return told(404, "No such item", "Open your link again.")
        here = f"{visit.home}/{place}"
        if "undo" in visit.form:
            return self._undo(visit, here)
        if "comment" in visit.form:
            return self._save(visit, sheet, here)
        text = page(
            "item.html.j2",
            visit=visit,
            sheet=sheet,
            shown=shown(sheet, self._draw),
            progress=self._store.progress(visit.rater.id),
            token=self._token(visit.device),
        )
        return HTMLResponse(text)

    def _save(self, visit: Visit, sheet: Sheet, here: str) -> Response:
        """Keep what the form says, and go where the rater goes on."""
        form = visit.form
        comment = form["comment"][:_LONGEST_COMMENT]
        flagged = {"yes": True, "no": False}.get(form.get("flag", ""), sheet.flagged)
        if (comment, flagged) != (sheet.comment, sheet.flagged):
            self._store.remark(sheet, comment, flagged)
        questions = questions_of(sheet.item, self._draw)
        replies = {}
        for question in questions:
            code, _, reason = form.get(f"q.{question.criterion}", "").partition(":")
            if code and question.allows(code, reason):
                replies[question.criterion] = (code, reason)
        if replies:
            now = self._clock.utc()
            self._store.choose(sheet, replies, len(questions), (now.timestamp(), iso(now)))
        answered = sheet.replies.keys() | replies.keys()
        left = [one.criterion for one in questions if one.criterion not in answered]
        if replies and not left and not sheet.done:
            return see(self._next(visit, sheet.place))
        return see(f"{here}#q.{quote(left[0])}" if left and replies else here)

    def _undo(self, visit: Visit, here: str) -> Response:
        last = visit.form["undo"]
        place = self._store.undo(visit.rater.id, int(last)) if last.isdigit() else None
        return see(here if place is None else f"{visit.home}/{place}")

    def _token(self, device: str) -> str:
        """What a form must bring that is posted from this device."""
        return hmac.new(self._key.encode(), device.encode(), hashlib.sha256).hexdigest()

    async def _overview(self, request: Request) -> Response:
        if not hmac.compare_digest(request.path_params["secret"], self._admin):
            return told(404, "No such link", "Use the link that you got, all of it.")
        try:
            found = await run_in_threadpool(standing, self._store)
        except HarnessError as error:
            return told(503, "Cannot be read", error.line)
        base = str(request.base_url).rstrip("/")
        return HTMLResponse(page("overview.html.j2", draw=self._draw, standing=found, base=base))


async def static(request: Request) -> Response:
    """A file that pages load."""
    kind = STATIC.get(request.path_params["name"])
    if kind is None:
        return Response(status_code=404)
    return Response(static_file(request.path_params["name"]), media_type=kind)


def see(address: str) -> Response:
    """Go on at that address."""
    return RedirectResponse(address, status_code=303)


def told(
    status: int,
    title: str,
    what: str,
    path: str = "",
    fields: dict[str, str] | None = None,
    button: str = "Try again",
) -> Response:
    """A page that says what is wrong; with a path, a button sends the same form again."""
    text = page(
        "told.html.j2", title=title, what=what, path=path, fields=fields or {}, button=button
    )
    return HTMLResponse(text, status_code=status)
