"""What an exception of the transport means: the cause of a failure, and one line about it."""

from __future__ import annotations

import asyncio
import os
import ssl

import aiohttp

from harness.records.attempt import FailureCause

# Searched in order; the first class that fits decides.
CAUSES: tuple[tuple[type[BaseException], FailureCause, str], ...] = (
    (aiohttp.ClientConnectorDNSError, "connect", "the host's name is not known"),
    (aiohttp.ClientConnectorCertificateError, "connect", "TLS: the certificate is not accepted"),
    (aiohttp.ClientSSLError, "connect", "TLS: no secure connection"),
    (aiohttp.ServerFingerprintMismatch, "connect", "TLS: another certificate than expected"),
    (aiohttp.ClientProxyConnectionError, "connect", "the proxy cannot be reached"),
    (aiohttp.ClientConnectorError, "connect", "cannot connect"),
    (aiohttp.ConnectionTimeoutError, "connect", "no connection in time"),
    (aiohttp.SocketTimeoutError, "stalled", "nothing came for too long"),
    (aiohttp.ServerTimeoutError, "stalled", "nothing came for too long"),
    (aiohttp.ServerDisconnectedError, "reset", "the server closed the connection"),
    (aiohttp.ClientConnectionResetError, "reset", "the connection was reset"),
    (aiohttp.ClientPayloadError, "reset", "the connection broke off in mid-answer"),
    (aiohttp.UploadAbortedError, "reset", "the connection broke off in mid-request"),
    (aiohttp.ClientHttpProxyError, "connect", "the proxy refused"),
    (aiohttp.ClientConnectionError, "reset", "the connection broke"),
    (aiohttp.InvalidURL, "protocol", "the address is not valid"),
    (aiohttp.NonHttpUrlClientError, "protocol", "the address is not HTTP"),
    (aiohttp.TooManyRedirects, "protocol", "the server redirects"),
    (aiohttp.RedirectClientError, "protocol", "the server redirects"),
    (aiohttp.ClientResponseError, "protocol", "the answer is not HTTP"),
    (aiohttp.ClientError, "protocol", "the transport failed"),
    (asyncio.TimeoutError, "timeout", "the case took too long"),
    (ssl.SSLError, "connect", "TLS: no secure connection"),
    (ConnectionError, "reset", "the connection broke"),
    (OSError, "connect", "cannot connect"),
)


def cause_of(error: BaseException) -> tuple[FailureCause, str]:
    """The cause a transport's exception stands for, with what happened in words."""
    for kind, cause, words in CAUSES:
        if isinstance(error, kind):
            reason = _reason(error)
            return cause, f"{words}: {reason}" if reason else words
    return "protocol", f"the transport failed: {type(error).__name__}"


def _reason(error: BaseException) -> str:
    """What the operating system says; never the exception's own text, which may quote headers."""
    system = getattr(error, "certificate_error", None) or getattr(error, "os_error", error)
    if isinstance(system, ssl.SSLError):
        return getattr(system, "verify_message", "") or getattr(system, "reason", "") or ""
    if isinstance(system, OSError):
        # asyncio puts words of its own, with the address, in place of the system's.
        number = system.errno or 0
        return os.strerror(number) if number > 0 else system.strerror or ""
    return ""
