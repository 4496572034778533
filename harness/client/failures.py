"""What a failure says of the server: whether to ask again, to wait, or to look elsewhere."""

from __future__ import annotations

from harness.records.attempt import Failure

BUSY_STATUS = frozenset({429, 503})


def retriable(failure: Failure) -> bool:
    """Whether asking again can help."""
    if failure.cause in ("connect", "reset"):
        return True
    if failure.cause == "server_error" and failure.status is None:
        return True
    status = failure.status
    return (
        failure.cause in ("http", "server_error")
        and status is not None
        and (status in (408, 429) or 500 <= status <= 599)
    )


def busy(failure: Failure) -> bool:
    """Whether the server is there and takes no more for now."""
    return failure.cause in ("http", "server_error") and failure.status in BUSY_STATUS


def down(failure: Failure) -> bool:
    """Whether the server may not be there: not reached, silent, or broken."""
    if failure.cause in ("connect", "reset", "stalled", "timeout"):
        return True
    if failure.cause not in ("http", "server_error") or busy(failure):
        return False
    return failure.status is None or failure.status >= 500
