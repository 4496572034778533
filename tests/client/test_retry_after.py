from __future__ import annotations

from datetime import UTC, datetime

import pytest

from harness.client.retry_after import retry_after
from harness.clock import ManualClock

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
