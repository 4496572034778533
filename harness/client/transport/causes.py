"""What went wrong on the way to a server: the cause of a failure, and one line about it."""

from __future__ import annotations

import os
import socket
import ssl

import httptools

from harness.records.attempt import FailureCause

# Searched in order; the first class that fits decides. While a connection is made, every failure
# is one to connect.
OPENING: tuple[tuple[type[BaseException], str], ...] = (
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
    """An exchange came to nothing; `cause` and `detail` are what a failure reports."""

    def __init__(self, cause: FailureCause, detail: str) -> None:
        self.cause: FailureCause = cause
        self.detail = detail
        super().__init__(detail)


def not_opened(error: BaseException) -> TransportFailed:
    """What an exception means that was met while a connection was made."""
    if isinstance(error, TransportFailed):
        return error
    for kind, words in OPENING:
        if isinstance(error, kind):
            return TransportFailed("connect", _with_reason(words, error))
    return TransportFailed("connect", f"cannot connect: {type(error).__name__}")


def broken(error: BaseException) -> TransportFailed:
    """What an exception means that ended an exchange under way."""
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
    """What the system, TLS or the parser says, in a phrase that quotes nothing that was sent."""
    if isinstance(error, ssl.SSLError):
        return getattr(error, "verify_message", "") or getattr(error, "reason", "") or ""
    if isinstance(error, OSError):
        # Event loops put words of their own, with the address, in place of the system's.
        number = error.errno or 0
        return os.strerror(number) if number > 0 else error.strerror or ""
    return str(error) if isinstance(error, httptools.HttpParserError) else ""
