"""The pull or merge request that a CI job runs for, and the one comment of a gate on it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

from harness.ci.http_api import Api, Refused, Unreachable
from harness.clock import SYSTEM_CLOCK, Clock
from harness.errors import UsageError

# The file of a gate's comment, and what every such comment begins with.
COMMENT, MARK = "comment.md", "<!-- harness gate "
GITHUB_TOKEN, GITLAB_TOKEN = "GITHUB_TOKEN", "GITLAB_TOKEN"

_TRIES = 4
_LONGEST_WAIT = 60.0
_GONE = (404, 410)


class Nothing(Exception):
    """There is no place for a comment, which is no error: a push, or a job without a token."""


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment as it stands; `own` says that the token's holder may have written it."""

    id: int
    body: str
    own: bool
    url: str


@dataclass(frozen=True, slots=True)
class ChangeRequest:
    """A pull request of GitHub or a merge request of GitLab."""

    api: Api
    gitlab: bool
    number: int
    _path: str
    _comments: str

    def comments(self) -> Iterator[Comment]:
        """Every comment, the oldest first.

        Raises:
            ServerError: the API refuses, or cannot be reached.
        """
        writer = self._writer()
        order = "&sort=asc&order_by=created_at" if self.gitlab else ""
        for raw in self.api.paginate(f"{self._path}?per_page=100{order}"):
            if not isinstance(raw, dict) or not isinstance(raw.get("id"), int):
                continue
            by = raw.get("author" if self.gitlab else "user") or {}
            own = by.get("type") == "Bot" if writer is None else by.get("id") == writer
            yield Comment(raw["id"], str(raw.get("body") or ""), own, _url(raw))

    def add(self, body: str) -> str:
        """Post a comment, and return its url where the API gives one."""
        return _url(self.api.send("POST", self._path, {"body": body}))

    def change(self, comment: Comment, body: str) -> str:
        """Replace a comment's text, and return its url where the API gives one."""
        method = "PUT" if self.gitlab else "PATCH"
        return _url(self.api.send(method, f"{self._comments}/{comment.id}", {"body": body}))

    def _writer(self) -> int | None:
        """The id of the token's user; None for a job's own token, which is of no user."""
        try:
            user = self.api.send("GET", "/user")
        except Refused as refused:
            if refused.status in (401, 403, 404) and refused.wait is None:
                return None
            raise
        found = user.get("id") if isinstance(user, dict) else None
        return found if isinstance(found, int) else None


def _url(raw: Any) -> str:
    return str(raw.get("html_url") or "") if isinstance(raw, dict) else ""


def find_request(environment: Mapping[str, str], number: int | None = None) -> ChangeRequest:
    """The request that the job's variables name, or that of the given number.

    Raises:
        UsageError: these are the variables of no CI system that is known.
        Nothing: the job runs for no request, or was given no token.
    """
    if environment.get("CI_API_V4_URL"):
        return _gitlab(environment, number)
    if environment.get("GITHUB_REPOSITORY"):
        return _github(environment, number)
    raise UsageError(
        "this is no job of GitHub or GitLab", hint="GITHUB_REPOSITORY or CI_API_V4_URL is not set"
    )


def _github(environment: Mapping[str, str], number: int | None) -> ChangeRequest:
    found = number or _event_number(environment.get("GITHUB_EVENT_PATH", ""))
    if found is None:
        raise Nothing("this job runs for no pull request")
    headers = {
        "Authorization": f"Bearer {_token(environment, GITHUB_TOKEN)}",
        "Accept": "application/vnd.github+json",
        "X-GitHub-Api-Version": "2022-11-28",
    }
    url = environment.get("GITHUB_API_URL") or "https://api.github.com"
    issues = f"/repos/{quote(environment['GITHUB_REPOSITORY'])}/issues"
    return ChangeRequest(
        Api(url, headers), False, found, f"{issues}/{found}/comments", f"{issues}/comments"
    )


def _gitlab(environment: Mapping[str, str], number: int | None) -> ChangeRequest:
    given = environment.get("CI_MERGE_REQUEST_IID", "")
    found = number or (int(given) if given.isdecimal() else None)
    if found is None:
        raise Nothing("this job runs for no merge request")
    # A fork's job has the fork's project id; the request lies in the project that it goes to.
    project = environment.get("CI_MERGE_REQUEST_PROJECT_ID") or environment.get("CI_PROJECT_ID", "")
    notes = f"/projects/{quote(project, safe='')}/merge_requests/{found}/notes"
    headers = {"PRIVATE-TOKEN": _token(environment, GITLAB_TOKEN)}
    return ChangeRequest(Api(environment["CI_API_V4_URL"], headers), True, found, notes, notes)


def _token(environment: Mapping[str, str], name: str) -> str:
    token = environment.get(name, "").strip()
    if not token:
        raise Nothing(f"{name} is not set")
    if not token.isascii() or not token.isprintable():
        raise UsageError("holds what no token can hold", where=name)
    return token


def _event_number(path: str) -> int | None:
    """The number of the pull request in the event that started the job, if it was one."""
    try:
        event = json.loads(Path(path).read_text(encoding="utf-8")) if path else {}
    except (OSError, ValueError):
        return None
    if not isinstance(event, dict):
        return None
    issue = event.get("issue")
    commented = issue if isinstance(issue, dict) and issue.get("pull_request") else None
    found = event.get("pull_request") or commented
    number = found.get("number") if isinstance(found, dict) else None
    return number if isinstance(number, int) else None


@dataclass(frozen=True, slots=True)
class Posted:
    """Whether the comment is new, and its url where the API gives one."""

    how: Literal["posted", "updated", "unchanged"]
    url: str


def put_comment(request: ChangeRequest, body: str, clock: Clock = SYSTEM_CLOCK) -> Posted:
    """Post the comment, or update the one whose first line is the same.

    Each try looks first for the comment: one stored without a confirmation is not repeated.

    Raises:
        Refused: the API does not allow it.
        ServerError: the API cannot be reached, or fails again and again.
    """
    for number in range(_TRIES):
        try:
            return _put(request, body)
        except (Refused, Unreachable) as error:
            asked = error.wait if isinstance(error, Refused) else None
            last = number == _TRIES - 1 or (isinstance(error, Refused) and not error.passing)
            if last or (asked or 0.0) > _LONGEST_WAIT:
                raise
            asyncio.run(clock.sleep(2.0**number if asked is None else asked))
    raise AssertionError("unreachable")


def _put(request: ChangeRequest, body: str) -> Posted:
    mark = _first_line(body)
    for comment in request.comments():
        if not comment.own or _first_line(comment.body) != mark:
            continue
        if comment.body.strip().splitlines() == body.strip().splitlines():
            return Posted("unchanged", comment.url)
        try:
            return Posted("updated", request.change(comment, body))
        except Refused as refused:
            if refused.status not in _GONE:  # it may have been deleted since
                raise
    return Posted("posted", request.add(body))


def _first_line(text: str) -> str:
    return text.lstrip().partition("\n")[0].strip()
