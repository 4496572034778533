"""Trouble on purpose: a mock server's answers, some of them spoilt at random."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

from harness.errors import UsageError
from harness.files import Appender
from tests.mock_server.replies import MockReply

Answering = Callable[[dict[str, Any]], MockReply]

# One byte a second: no patience lasts until such an answer is whole.
DRIP = 1.0
# With these the answer is whole all the same.
_WHOLE = (None, "no_done")


@dataclass(frozen=True, slots=True)
class Trouble:
    """One way of going wrong: what becomes of a reply that it befalls."""

    name: str
    befall: Callable[[MockReply], MockReply]


def _faulty(**changes: Any) -> Callable[[MockReply], MockReply]:
    return lambda reply: replace(reply, **changes)


def _refused(status: int, wait: str | None = None) -> Callable[[MockReply], MockReply]:
    headers = {} if wait is None else {"Retry-After": wait}
    return _faulty(status=status, text=f"no: {status}", headers=headers)


def _busy_until(reply: MockReply) -> MockReply:
    moment = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
    return _refused(429, moment)(reply)


TROUBLES: tuple[Trouble, ...] = (
    *(
        Trouble(fault, _faulty(fault=fault))
        for fault in (
            "reset", "reset_midstream", "hang", "malformed", "error_event", "no_done",
            "empty_choices",
        )
    ),
    Trouble("drip", _faulty(fault="drip", gap=DRIP)),
    *(Trouble(str(status), _refused(status)) for status in (400, 404, 429, 500, 502, 503)),
    Trouble("429 with seconds", _refused(429, "1")),
    Trouble("429 with a date", _busy_until),
    Trouble("another model", _faulty(model="another")),
)  # fmt: skip


class Troubled:
    """Answers as `answering` does, spoilt by each trouble with the chance `share`.

    Answers are numbered, so that no two are alike. Each reply is a line of the log before it is
    sent: `asked` is the last message, `trouble` what befell it, and `text` what the client has in
    full if it reads to the end, or null where the answer is not sent whole.

    Raises:
        UsageError: the chances add up to more than 1.
    """

    def __init__(
        self,
        answering: Answering,
        *,
        share: float,
        seed: int,
        log: Path,
        troubles: Sequence[Trouble] = TROUBLES,
    ) -> None:
        if share < 0.0 or share * len(troubles) > 1.0:
            raise UsageError(
                f"{len(troubles)} faults cannot have a share of {share:g} each",
                hint=f"give {1.0 / len(troubles):.3f} at most",
            )
        self._answering = answering
        self._share = share
        self._random = random.Random(seed)
        self._log = Appender(log, batch=1_000_000)
        self._troubles = troubles
        self._number = 0

    def __call__(self, body: dict[str, Any]) -> MockReply:
        """The reply to a request's body."""
        self._number += 1
        said = self._answering(body)
        reply = replace(said, text=f"{said.text} #{self._number}")
        trouble = self._drawn()
        if trouble is not None:
            reply = trouble.befall(reply)
        sent = reply.status == 200 and reply.model is None and reply.fault in _WHOLE
        line = {
            "asked": body["messages"][-1]["content"],
            "trouble": trouble.name if trouble is not None else None,
            "text": reply.text if sent else None,
        }
        self._log.append(json.dumps(line))
        return reply

    def _drawn(self) -> Trouble | None:
        number = int(self._random.random() / self._share) if self._share else len(self._troubles)
        return self._troubles[number] if number < len(self._troubles) else None
