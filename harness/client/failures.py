"""Failures of requests: their cause, one line of text, and what follows about the server."""

from __future__ import annotations

import os
import socket
import ssl
from datetime import UTC
from email.utils import parsedate_to_datetime

import httptools

from harness.clock import Clock
from harness.records.attempt import Failure, FailureCause

BUSY_STATUS = frozenset({429, 503})
# Searched in order; the first class that fits decides. While a connection is made, every failure
# is one to connect.
CONNECTING: tuple[tuple[type[BaseException], str], ...] = (
    (socket.gaierror, "the host's name is not known"),
    (ssl.SSLCertVerificationError, "TLS: the certificate is not accepted"),
    (UnicodeError, "the host's name is not known"),
    (ssl.SSLError, "TLS: no secure connection"),
    (TimeoutError, "no connection in time"),
    (OSError, "cannot connect"),
)
# The same for a connection that stood.
BREAKING: tuple[tuple[type[BaseException], FailureCause, str], ...] = (
    (httptools.HttpParserUpgrade, "protocol", "the server switches to another protocol"),
    (httptools.HttpParserError, "protocol", "the answer is not HTTP"),
    (ssl.SSLError, "reset", "TLS: the connection broke"),
    (OSError, "reset", "the connection broke"),
)


class TransportFailed(Exception):
    """An exchange failed; `cause` and `detail` are those of the failure to report."""

    def __init__(self, cause: FailureCause, detail: str) -> None:
        self.cause: FailureCause = cause
        self.detail = detail
        super().__init__(detail)


def connect_failure(error: BaseException) -> TransportFailed:
    """The failure for an exception while connecting."""
    if isinstance(error, TransportFailed):
        return error
    for kind, words in CONNECTING:
        if isinstance(error, kind):
            return TransportFailed("connect", _with_reason(words, error))
    return TransportFailed("connect", f"cannot connect: {type(error).__name__}")


def exchange_failure(error: BaseException) -> TransportFailed:
    """The failure for an exception that ended an exchange in progress."""
    if isinstance(error, TransportFailed):
        return error
    for kind, cause, words in BREAKING:
        if isinstance(error, kind):
            return TransportFailed(cause, _with_reason(words, error))
    return TransportFailed("protocol", f"the transport failed: {type(error).__name__}")


def _with_reason(words: str, error: BaseException) -> str:
    reason = _reason(error)
    return f"{words}: {reason}" if reason else words


def _reason(error: BaseException) -> str:
    """The reason from the system, TLS or the parser, in a phrase that quotes no sent data."""
    if isinstance(error, ssl.SSLError):
        return getattr(error, "verify_message", "") or getattr(error, "reason", "") or ""
    if isinstance(error, OSError):
        # Event loops put words of their own, with the address, in place of the system's.
        number = error.errno or 0
        return os.strerror(number) if number > 0 else error.strerror or ""
    return str(error) if isinstance(error, httptools.HttpParserError) else ""


def retriable(failure: Failure) -> bool:
    """Whether a retry can help."""
    if failure.remedy is not None:
        return False
    if failure.cause not in ("http", "server_error"):
        return failure.cause in ("connect", "reset")
    if failure.status is None:
        return failure.cause == "server_error"
    return failure.status in (408, 429) or 500 <= failure.status <= 599


def busy(failure: Failure) -> bool:
    """Whether the server is reachable but accepts no more requests for now."""
    return failure.cause in ("http", "server_error") and failure.status in BUSY_STATUS


def down(failure: Failure) -> bool:
    """Whether the server may be down: not reached, silent, or broken."""
    if failure.cause in ("connect", "reset", "stalled", "timeout"):
        return True
    if failure.cause not in ("http", "server_error") or busy(failure):
        return False
    return failure.status is None or failure.status >= 500


def retry_after(value: str | None, clock: Clock) -> float | None:
    """The seconds of a Retry-After header, given as seconds or as a date (RFC 9110, 10.2.3)."""
    if value is None:
        return None
    value = value.strip()
    if value.isascii() and value.isdecimal():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except (TypeError, ValueError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - clock.utc()).total_seconds())
