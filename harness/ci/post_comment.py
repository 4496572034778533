"""A comment that is there once: updated where it stands, posted where it does not."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Literal

from harness.ci.change_request import ChangeRequest
from harness.ci.http_api import Refused, Unreachable
from harness.clock import SYSTEM_CLOCK, Clock

_TRIES = 4
_LONGEST_WAIT = 60.0
_GONE = (404, 410)


@dataclass(frozen=True, slots=True)
class Posted:
    """What was done, and the comment's url where the API gives one."""

    how: Literal["posted", "updated", "unchanged"]
    url: str


def put_comment(request: ChangeRequest, body: str, clock: Clock = SYSTEM_CLOCK) -> Posted:
    """Post the comment, or update the one whose first line is the same.

    Each try looks first: a post that the server took and did not confirm is found, not repeated.

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
