"""Every exception of the layers below has a cause and words of its own."""

from __future__ import annotations

import builtins
import errno
import inspect
import socket
import ssl
import typing
from datetime import UTC, datetime

import httptools
import pytest

from harness.client.failures import (
    BREAKING,
    CONNECTING,
    TransportFailed,
    connect_failure,
    exchange_failure,
    retry_after,
)
from harness.records.attempt import FailureCause
from tests.manual_clock import ManualClock


def _below() -> list[type[Exception]]:
    """What sockets, names, TLS and the parser raise."""
    found = {OSError, UnicodeError, socket.gaierror, socket.herror}
    found |= {
        kind
        for module in (builtins, ssl, httptools)
        for _, kind in inspect.getmembers(module, inspect.isclass)
        if issubclass(kind, OSError | httptools.HttpParserError | httptools.HttpParserUpgrade)
    }
    return sorted(found, key=lambda kind: kind.__name__)


BELOW = _below()


def test_the_list_is_not_empty() -> None:
    names = {kind.__name__ for kind in BELOW}
    assert {"ConnectionResetError", "SSLCertVerificationError", "HttpParserUpgrade"} <= names
    assert len(BELOW) > 25


@pytest.mark.parametrize("kind", BELOW, ids=lambda kind: kind.__name__)
def test_every_class_is_mapped(kind: type[Exception]) -> None:
    error = kind.__new__(kind)
    opened = connect_failure(error)
    assert opened.cause == "connect"
    if not issubclass(kind, httptools.HttpParserError | httptools.HttpParserUpgrade):
        assert any(opened.detail.startswith(words) for _, words in CONNECTING)
    if kind is not UnicodeError:  # names are only looked up to connect
        told = exchange_failure(error)
        assert told.cause in typing.get_args(FailureCause)
        assert any(told.detail.startswith(words) for _, _, words in BREAKING)


@pytest.mark.parametrize(
    ("error", "detail"),
    [
        (socket.gaierror(-2, "Name or service not known"), "the host's name is not known"),
        (UnicodeError("label too long"), "the host's name is not known"),
        (ConnectionRefusedError(errno.ECONNREFUSED, "x"), "cannot connect: Connection refused"),
        (OSError(errno.EHOSTUNREACH, "x"), "cannot connect: No route to host"),
        (TimeoutError(), "no connection in time"),
        (ssl.SSLError(1, "wrong version"), "TLS: no secure connection"),
        (RuntimeError("a secret"), "cannot connect: RuntimeError"),
    ],
)
def test_no_connection_in_words(error: Exception, detail: str) -> None:
    assert connect_failure(error).detail.startswith(detail)


@pytest.mark.parametrize(
    ("error", "cause", "detail"),
    [
        (ConnectionResetError(errno.ECONNRESET, "x"), "reset", "Connection reset by peer"),
        (BrokenPipeError(errno.EPIPE, "x"), "reset", "Broken pipe"),
        (TimeoutError(errno.ETIMEDOUT, "x"), "reset", "Connection timed out"),
        (ssl.SSLError(1, "bad mac"), "reset", "TLS"),
        (httptools.HttpParserError("Expected HTTP/"), "protocol", "Expected HTTP/"),
        (httptools.HttpParserUpgrade(3), "protocol", "switches"),
        (RuntimeError("a secret"), "protocol", "the transport failed: RuntimeError"),
    ],
)
def test_a_break_in_words(error: Exception, cause: str, detail: str) -> None:
    told = exchange_failure(error)
    assert told.cause == cause
    assert detail in told.detail
    assert "secret" not in told.detail


def test_what_is_told_already_stays() -> None:
    told = TransportFailed("stalled", "nothing came for too long")
    assert exchange_failure(told) is told
    assert connect_failure(told) is told


def test_the_tables_have_no_row_that_cannot_be_reached() -> None:
    for table in ([row[0] for row in CONNECTING], [row[0] for row in BREAKING]):
        for number, kind in enumerate(table):
            assert not any(issubclass(kind, before) for before in table[:number]), kind


NOON = ManualClock(utc=datetime(2026, 5, 1, 12, tzinfo=UTC))


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("7", 7.0),
        (" 0 ", 0.0),
        ("Fri, 01 May 2026 12:00:30 GMT", 30.0),
        ("Fri, 01 May 2026 12:00:30 -0000", 30.0),
        ("Fri, 01 May 2026 11:00:00 GMT", 0.0),
        ("soon", None),
        ("-3", None),
        ("²", None),
        ("", None),
    ],
)
def test_seconds_and_dates(value: str | None, seconds: float | None) -> None:
    assert retry_after(value, NOON) == seconds
