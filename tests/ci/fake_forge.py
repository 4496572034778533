"""A GitHub and a GitLab on loopback, as far as comments go."""

from __future__ import annotations

import json
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

GITHUB = re.compile(r"/repos/o/r/issues(?:/(?P<number>\d+))?/comments(?:/(?P<id>\d+))?")
GITLAB = re.compile(
    r"/projects/(?P<project>[^/]+)/merge_requests/(?P<number>\d+)/notes(?:/(?P<id>\d+))?"
)
BOT = {"id": 41, "login": "github-actions[bot]", "type": "Bot"}
PERSON = {"id": 7, "login": "somebody", "type": "User"}


@dataclass
class Fault:
    """What the server answers instead, to requests with that method."""

    method: str
    status: int
    headers: dict[str, str] = field(default_factory=dict)
    after_the_deed: bool = False


class FakeForge:
    """Comments by request number; `user` is the token's, None for a job's own token."""

    def __init__(self, user: dict[str, Any] | None = None, token: str = "secret-token") -> None:
        self.user = user
        self.token = token
        self.comments: dict[int, list[dict[str, Any]]] = {}
        self.faults: list[Fault] = []
        self.asked: list[tuple[str, str]] = []
        self.link = ""  # a Link header of its own for every page
        self._next = 1000
        self._server = ThreadingHTTPServer(
            ("127.0.0.1", 0), type("Bound", (Handler,), {"forge": self})
        )
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        loop = self._server.serve_forever
        threading.Thread(target=loop, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def bodies(self, number: int) -> list[str]:
        return [comment["body"] for comment in self.comments.get(number, [])]

    def write(self, number: int, body: str, by: dict[str, Any]) -> dict[str, Any]:
        self._next += 1
        url = f"https://forge.example/{number}#{self._next}"
        made = {"id": self._next, "body": body, "user": by, "author": by, "html_url": url}
        self.comments.setdefault(number, []).append(made)
        return made

    def wrote(self, method: str) -> int:
        return sum(asked == method for asked, _ in self.asked)


class Handler(BaseHTTPRequestHandler):
    forge: FakeForge

    def _serve(self) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(size) or b"null")
        self.forge.asked.append((self.command, self.path))
        told = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if self.forge.token not in (told, self.headers.get("PRIVATE-TOKEN")):
            self._reply(401, {"message": "Bad credentials"})
            return
        fault = next((one for one in self.forge.faults if one.method == self.command), None)
        if fault is not None:
            self.forge.faults.remove(fault)
            if fault.after_the_deed:
                self._act(body)
            self._reply(fault.status, {"message": "no"}, fault.headers)
            return
        self._reply(*self._act(body))

    do_GET = do_POST = do_PATCH = do_PUT = _serve  # noqa: N815

    def _act(self, body: Any) -> tuple[int, Any, dict[str, str]]:
        split = urlsplit(self.path)
        if split.path == "/user":
            known = self.forge.user is not None
            return (200, self.forge.user, {}) if known else (403, {"message": "not a user"}, {})
        found = GITHUB.fullmatch(split.path) or GITLAB.fullmatch(split.path)
        if found is None:
            return 404, {"message": "Not Found"}, {}
        if self.command == "GET":
            return self._page(int(found["number"]), split.path, parse_qs(split.query))
        if self.command == "POST":
            by = self.forge.user or BOT
            return 201, self.forge.write(int(found["number"]), body["body"], by), {}
        for comment in (one for each in self.forge.comments.values() for one in each):
            if comment["id"] == int(found["id"]):
                comment["body"] = body["body"]
                return 200, comment, {}
        return 404, {"message": "Not Found"}, {}

    def _page(self, number: int, path: str, query: dict[str, list[str]]) -> Any:
        size, page = int(query["per_page"][0]), int(query.get("page", ["1"])[0])
        every = self.forge.comments.get(number, [])
        link = {"Link": self.forge.link} if self.forge.link else {}
        if page * size < len(every):
            following = f"{self.forge.url}{path}?per_page={size}&page={page + 1}"
            link = {
                "Link": f'<{self.forge.url}{path}?page=1>; rel="first", <{following}>; rel="next"'
            }
        return 200, every[(page - 1) * size : page * size], link

    def _reply(self, status: int, data: Any, headers: dict[str, str] | None = None) -> None:
        raw = json.dumps(data).encode()
        self.send_response(status)
        for name, value in {**(headers or {}), "Content-Length": str(len(raw))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *_: Any) -> None:
        pass
