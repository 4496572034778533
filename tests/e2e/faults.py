"""What a server may do, and what becomes of the case: the rows behind `docs/faults.md`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from tests.mock_server import MockReply

# The settings that the page names: few seconds, so that nobody waits for minutes.
SETTINGS: dict[str, Any] = {
    "concurrency": 2, "retries": 2, "connect_timeout": 5, "chunk_timeout": 3, "case_timeout": 20,
}  # fmt: skip
OK, OK_2 = "ok", "ok, 2 tries"
BRIEF = {"case_timeout": 6}


@dataclass(frozen=True, slots=True)
class Row:
    """One fault of a single case.

    `once` is what becomes of a case that meets it at its first request alone, `always` of one that
    meets it at every request; the run ends with `code` and asks all other cases.
    """

    what: str
    reply: MockReply
    once: str
    always: str
    code: int = 0
    settings: dict[str, Any] = field(default_factory=dict)


def tried(cause: str) -> str:
    return f"failed: {cause}, 3 tries"


def waited(status: int) -> str:
    return f"failed: http {status}, as often as `case_timeout` allows"


def busy(wait: str | None) -> MockReply:
    """A 429; `{date}` stands for two seconds from now."""
    if wait == "{date}":
        wait = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
    headers = {} if wait is None else {"Retry-After": wait}
    return MockReply("too many", status=429, headers=headers)


def failing(status: int) -> MockReply:
    return MockReply("no", status=status)


def faulty(fault: Any, **more: Any) -> MockReply:
    return MockReply("It is value 0, as everybody knows.", fault=fault, **more)


ROWS = (
    Row("resets the connection before it answers", faulty("reset"), OK_2, tried("reset")),
    Row("resets it in mid-stream", faulty("reset_midstream"), OK_2, tried("reset")),
    Row("ends the stream in mid-answer", faulty("cut"), OK_2, tried("reset")),
    Row("HTTP 500", failing(500), OK_2, tried("http 500")),
    Row("HTTP 502", failing(502), OK_2, tried("http 502")),
    Row("HTTP 503", failing(503), OK_2, waited(503), settings=BRIEF),
    Row("HTTP 408", failing(408), OK_2, tried("http 408")),
    Row("HTTP 429", busy(None), OK_2, waited(429), settings=BRIEF),
    Row("HTTP 429, `Retry-After: 1`", busy("1"), OK_2, waited(429), settings=BRIEF),
    Row("HTTP 429, `Retry-After:` a date", busy("{date}"), OK_2, waited(429), settings=BRIEF),
    Row(
        "HTTP 429, `Retry-After` beyond `case_timeout`", busy("3600"),
        "failed: http 429", "failed: http 429",
    ),
    Row("HTTP 400", failing(400), "failed: http 400", "failed: http 400"),
    Row("HTTP 404", failing(404), "failed: http 404", "failed: http 404"),
    Row("never answers", faulty("hang"), "failed: stalled", "failed: stalled"),
    Row("falls silent in mid-answer", faulty("hang_midstream"), "failed: stalled",
        "failed: stalled"),
    Row(
        "sends one byte a second", faulty("drip", gap=1.0), "failed: timeout", "failed: timeout",
        settings={"case_timeout": 5},
    ),
    Row("an error event inside a 200", faulty("error_event"), OK_2, tried("server_error 500")),
    Row("malformed JSON in one event", faulty("malformed"), "failed: protocol",
        "failed: protocol"),
    Row("no event has a choice", faulty("empty_choices"), "failed: protocol", "failed: protocol"),
    Row("`[DONE]` without a `finish_reason`", faulty("no_finish"), "failed: protocol",
        "failed: protocol"),
    Row("an HTML page with a 200", faulty("html"), "failed: protocol", "failed: protocol"),
    Row("one document, no stream", faulty("not_streaming"), "failed: protocol",
        "failed: protocol"),
    Row("answers under another model's name", MockReply("It is I.", model="another"),
        "failed: wrong_model", "failed: wrong_model"),
    Row("the whole answer, but no `[DONE]`", faulty("no_done"), OK, OK),
    Row("the whole answer, but the connection stays open", faulty("linger"), OK, OK),
    Row("says nothing", MockReply(""), "empty", "empty"),
    Row("stops at `max_tokens`", MockReply("It is value", finish_reason="length"), "truncated",
        "truncated"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class End:
    """A fault of the server as a whole: what `harness run` says, and where it leaves the run."""

    what: str
    says: str
    left: str
    code: int = 3


REFUSED = End("nothing listens at the address", "cannot connect: Connection refused",
              "nothing was asked")  # fmt: skip
UNKNOWN_HOST = End("the host's name is not known", "the host's name is not known",
                   "nothing was asked")  # fmt: skip
SILENT = End("takes connections and never says a word", "no answer within 10 s",
             "nothing was asked")  # fmt: skip
NO_TLS = End("TLS: the server speaks none", "TLS: no secure connection", "nothing was asked")
BAD_CERTIFICATE = End("TLS: an unknown certificate", "TLS: the certificate is not accepted",
                      "nothing was asked")  # fmt: skip
NO_KEY = End("HTTP 401 for every request", "asks for an API key (HTTP 401)", "nothing was asked")
KEY_LOST = End("HTTP 401 from some request on", "the server refuses the key",
               "answers are kept, the next run asks the rest")  # fmt: skip
CLOSED = End("HTTP 429, 502, 503 or 504 for every request from some on",
             "the server takes no requests",
             "answers are kept, the next run asks the rest")  # fmt: skip
DIES = End("dies for good half-way", "the server is gone",
           "answers are kept, the next run asks the rest")  # fmt: skip
INTERRUPTED = End("Ctrl-C", "interrupted; what was finished is kept",
                  "nothing more is sent; the next run asks the rest", 130)  # fmt: skip
SECOND = End("a second process on the same run", "another process is writing this run",
             "the first goes on")  # fmt: skip

ENDS = (
    REFUSED, UNKNOWN_HOST, SILENT, NO_TLS, BAD_CERTIFICATE, NO_KEY, KEY_LOST, CLOSED, DIES,
    INTERRUPTED, SECOND,
)  # fmt: skip


def tables() -> str:
    """The two tables of the page, in Markdown."""
    cases = [[row.what, row.once, row.always] for row in ROWS]
    runs = [[end.what, f"`{end.says}`", str(end.code), end.left] for end in ENDS]
    first = _table(["what the server does to a case", "once", "each time"], cases)
    second = _table(["what happens to all", "`harness run` says", "exit code", "and"], runs)
    return f"{first}\n{second}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    print(tables(), end="")
