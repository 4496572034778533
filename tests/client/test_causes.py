"""Every exception of the transport has a cause of its own."""

import inspect
import typing

import aiohttp
import pytest
from aiohttp import client_exceptions

from harness.client.causes import CAUSES, cause_of
from harness.records.attempt import FailureCause

ALL = sorted(
    {
        kind
        for _, kind in inspect.getmembers(client_exceptions, inspect.isclass)
        if issubclass(kind, aiohttp.ClientError)
    },
    key=lambda kind: kind.__name__,
)
CATCH_ALL = [aiohttp.ClientError, aiohttp.ClientConnectionError]


@pytest.mark.parametrize("kind", ALL)
def test_every_class_is_mapped(kind: type[aiohttp.ClientError]) -> None:
    error = kind.__new__(kind)
    cause, words = cause_of(error)
    assert cause in typing.get_args(FailureCause)
    assert words
    if kind not in (*CATCH_ALL, aiohttp.ClientOSError):
        fits = next(known for known, _, _ in CAUSES if issubclass(kind, known))
        assert fits not in CATCH_ALL or kind.__name__ == "ServerConnectionError"


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (aiohttp.ServerDisconnectedError(), "reset"),
        (aiohttp.ClientPayloadError(), "reset"),
        (aiohttp.ClientConnectionResetError(), "reset"),
        (aiohttp.ClientOSError(104, "reset"), "reset"),
        (aiohttp.SocketTimeoutError(), "stalled"),
        (aiohttp.ConnectionTimeoutError(), "connect"),
        (aiohttp.ServerTimeoutError(), "stalled"),
        (TimeoutError(), "timeout"),
        (ConnectionResetError(), "reset"),
        (OSError(113, "no route"), "connect"),
        (RuntimeError("x"), "protocol"),
    ],
)
def test_the_cause_is_the_right_one(error: Exception, cause: str) -> None:
    assert cause_of(error)[0] == cause


def test_the_table_has_no_row_that_cannot_be_reached() -> None:
    for number, (kind, _, _) in enumerate(CAUSES):
        earlier = [before for before, _, _ in CAUSES[:number]]
        assert not any(issubclass(kind, before) for before in earlier), kind
