"""A small model hub on loopback, for the real `huggingface_hub` client.

It answers the routes that the client calls to fetch a model: `/api/models/ORG/NAME/revision/REV`,
`/api/models/ORG/NAME/tree/REV` and `/ORG/NAME/resolve/REV/FILE` (HEAD and GET, with `Range`).
"""

from __future__ import annotations

import hashlib
import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import unquote, urlsplit

TOKEN = "hf_test_token"


@dataclass
class Repo:
    """A model's files by commit, and its branches."""

    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    private: bool = False
    gated: bool = False

    def commit_of(self, revision: str) -> str | None:
        return revision if revision in self.commits else self.branches.get(revision)


@dataclass
class Asked:
    """A request as it came."""

    method: str
    path: str
    range: str | None
    token: str | None


class HubServer:
    """Use it in a `with`; `requests` are all that came, in their order.

    `breaks` is, by file, after how many bytes of it the connection breaks, and how often. `sizes`
    are sizes of files that are told instead of the true ones, and so are `etag`, `named_commit`
    (with a file) and `sha` (with the list of files). `status` answers everything.
    """

    def __init__(self) -> None:
        self.repos: dict[str, Repo] = {}
        self.requests: list[Asked] = []
        self.breaks: dict[str, list[int]] = {}
        self.sizes: dict[str, int] = {}
        self.missing: set[str] = set()
        self.status: int | None = None
        self.etag: str | None = None
        self.named_commit: str | None = None
        self.sha: str | None = None
        hub = self

        class Handler(_Handler):
            server_hub = hub

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def put(self, name: str, files: dict[str, bytes] | Path, branch: str = "main") -> str:
        """The commit that the branch is at once it holds these files, or those of a folder."""
        if isinstance(files, Path):
            files = {path.name: path.read_bytes() for path in files.iterdir() if path.is_file()}
        digest = hashlib.sha1(name.encode())
        for path, data in sorted(files.items()):
            digest.update(f"{path} {len(data)} ".encode() + data)
        repo = self.repos.setdefault(name, Repo())
        repo.commits[digest.hexdigest()] = files
        repo.branches[branch] = digest.hexdigest()
        return digest.hexdigest()

    def fetched(self) -> list[str]:
        """The names of the files that were asked for with GET."""
        return [
            unquote(one.path.rpartition("/")[2])
            for one in self.requests
            if one.method == "GET" and "/resolve/" in one.path
        ]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_hub: HubServer

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        hub = self.server_hub
        path = unquote(urlsplit(self.path).path)
        given = self.headers.get("Authorization")
        token = given.removeprefix("Bearer ") if given else None
        hub.requests.append(Asked(self.command, path, self.headers.get("Range"), token))
        if hub.status is not None:
            self._refuse(hub.status, None)
            return
        parts = path.strip("/").split("/")
        api = parts[:2] == ["api", "models"]
        org, name, kind, *rest = parts[2:] if api else parts
        repo = hub.repos.get(f"{org}/{name}")
        allowed = token == TOKEN
        if token not in (None, TOKEN):
            self._refuse(401, None, "Invalid credentials in Authorization header")
        elif repo is None or (repo.private and not allowed):
            self._refuse(404 if allowed else 401, "RepoNotFound")
        elif repo.gated and not api and not allowed:
            self._refuse(401, "GatedRepo")
        elif api:
            self._describe(repo, f"{org}/{name}", kind, "/".join(rest))
        else:
            self._file(repo, rest[0], "/".join(rest[1:]))

    def _describe(self, repo: Repo, name: str, kind: str, revision: str) -> None:
        commit = repo.commit_of(revision)
        if commit is None:
            self._refuse(404, "RevisionNotFound")
            return
        sizes = {
            path: self.server_hub.sizes.get(path, len(data))
            for path, data in repo.commits[commit].items()
        }
        if kind == "revision":
            files: Any = [{"rfilename": path, "size": size} for path, size in sizes.items()]
            sha = self.server_hub.sha or commit
            self._json({"id": name, "sha": sha, "siblings": files, "private": repo.private})
        else:
            oid = hashlib.sha1
            self._json([
                {"type": "file", "path": path, "size": size, "oid": oid(path.encode()).hexdigest()}
                for path, size in sizes.items()
            ])  # fmt: skip

    def _file(self, repo: Repo, revision: str, path: str) -> None:
        hub = self.server_hub
        commit = repo.commit_of(revision)
        data = None if commit is None else repo.commits[commit].get(path)
        if commit is None or data is None or path in hub.missing:
            code = "RevisionNotFound" if commit is None else "EntryNotFound"
            self._refuse(404, code, commit=hub.named_commit)
            return
        asked = self.headers.get("Range")
        start = int(asked.removeprefix("bytes=").split("-")[0]) if asked else 0
        self.send_response(206 if asked else 200)
        self.send_header("ETag", f'"{hub.etag or hashlib.sha256(data).hexdigest()}"')
        self.send_header("X-Repo-Commit", hub.named_commit or commit)
        self.send_header("X-Linked-Size", str(len(data)))
        self.send_header("Content-Length", str(len(data) - start))
        if asked:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        self.end_headers()
        if self.command == "HEAD":
            return
        if hub.breaks.get(path):
            self.wfile.write(data[start : hub.breaks[path].pop(0)])
            self.close_connection = True
            return
        self.wfile.write(data[start:])

    def _json(self, content: Any) -> None:
        body = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _refuse(
        self, status: int, code: str | None, message: str = "refused", commit: str | None = None
    ) -> None:
        self.send_response(status)
        if commit is not None:
            self.send_header("X-Repo-Commit", commit)
        if code is not None:
            self.send_header("X-Error-Code", code)
        self.send_header("X-Error-Message", message)
        self.send_header("Content-Length", "0")
        self.end_headers()
