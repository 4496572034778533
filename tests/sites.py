"""A loopback server of a few routes, for servers that are not quite OpenAI's."""

from __future__ import annotations

import inspect
import json
import ssl
from collections.abc import Callable, Mapping
from typing import Any, Self

from aiohttp import web

Route = Callable[[web.Request], Any] | web.Response | Any


class Site:
    """Answers by path: with a response, with what a function returns, or with JSON; else 404.

    `asked` holds a line `METHOD path?query` for each request, `headers` theirs, and `bodies` what
    was posted.
    """

    def __init__(self, routes: Mapping[str, Route], *, tls: ssl.SSLContext | None = None) -> None:
        self._routes = routes
        self._tls = tls
        self.asked: list[str] = []
        self.headers: list[Mapping[str, str]] = []
        self.bodies: list[dict[str, Any]] = []

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=self._tls).start()
        self.port = self._runner.addresses[0][1]
        self.url = f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(f"{request.method} {request.path_qs}")
        self.headers.append(request.headers)
        if request.method == "POST" and (posted := await request.read()) != b"{}":
            self.bodies.append(json.loads(posted))
        found = self._routes.get(request.path, web.HTTPNotFound())
        if callable(found) and not isinstance(found, web.Response):
            found = found(request)
            if inspect.isawaitable(found):
                found = await found
        if isinstance(found, web.HTTPException):
            return web.Response(status=found.status, text=found.text, headers=found.headers)
        if isinstance(found, web.Response):
            return web.Response(body=found.body, status=found.status, headers=dict(found.headers))
        return web.json_response(found)


def chat(
    text: str = "hello", *, model: str | None = None, kind: str | None = "text/event-stream"
) -> Callable[[web.Request], Any]:
    """A chat route that streams the text, under a content type of any name or of none."""

    async def answer(request: web.Request) -> web.StreamResponse:
        asked = await request.json()
        if "messages" not in asked:
            return web.json_response({"error": {"message": "no messages"}}, status=400)
        name = model or asked["model"]
        events = [
            {"choices": [{"index": 0, "delta": {"content": text}}], "model": name},
            {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "model": name},
            {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}, "model": name},
        ]
        body = "".join(f"data: {json.dumps(event)}\n\n" for event in events) + "data: [DONE]\n\n"
        headers = {} if kind is None else {"Content-Type": kind}
        response = web.Response(body=body.encode(), headers=headers)
        if kind is None:
            response.headers.popall("Content-Type", None)
        return response

    return answer
