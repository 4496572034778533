"""Requests and answers in the log of a vLLM server, which is lines of text."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from typing import Any

from harness.strict_json import decode

HINT = (
    "vLLM writes requests and answers with `--enable-log-requests --enable-log-outputs` and "
    "VLLM_LOGGING_LEVEL=DEBUG"
)
_REQUEST = re.compile(r"\] Request (?P<key>\S+) JSON body: (?P<body>\{.*)$")
_ANSWER = re.compile(
    r"\] Generated response (?P<key>\S+)(?: \(streaming complete\))?: output: (?P<text>['\"].*), "
    r"finish_reason: (?P<reason>\w+)$"
)
_PREFIX = re.compile(r"^(?:chat)?cmpl-")
_MOST_OPEN = 100_000  # requests whose answers have not come yet


def read_log(lines: Iterable[str]) -> Iterator[tuple[int, Any]]:
    """Each answered request with the number of its line: id, request, output and finish reason.

    A request that cannot be read, or whose answer was not logged, is a `ValueError` in its place.
    """
    waiting: dict[str, tuple[int, Any]] = {}
    for number, line in enumerate(lines, 1):
        text = line.rstrip("\r\n")
        if found := _REQUEST.search(text):
            waiting[found["key"]] = number, _decoded(found["body"])
            if len(waiting) > _MOST_OPEN:
                oldest = next(iter(waiting))
                yield waiting.pop(oldest)[0], ValueError("the answer was not logged")
        elif found := _ANSWER.search(text):
            key = _PREFIX.sub("", found["key"])
            at, request = waiting.pop(key, (number, ValueError("the request was not logged")))
            if not isinstance(request, ValueError):
                request = {
                    "vllm_request_id": key,
                    "request": request,
                    "output": _said(found["text"]),
                    "finish_reason": found["reason"],
                }
            yield at, request
    for at, _ in waiting.values():
        yield at, ValueError("the answer was not logged")


def _decoded(body: str) -> Any:
    try:
        return decode(body)
    except ValueError as error:
        return error  # cut at --max-log-len


def _said(text: str) -> str | None:
    try:
        said = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
    return said if isinstance(said, str) else None
