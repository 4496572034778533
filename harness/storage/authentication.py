"""Authentication of records by a key of the project: HMAC-SHA256 (RFC 2104).

A digest shows an edit to whoever kept the digest; a key shows it to everybody who has the key. The
code covers the header of a run, and with it the chain of its journal and the seals of its files;
the header of a measurement, and each of its blocks.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from typing import TypeVar

from harness.config import RUNS_KEY
from harness.errors import JournalError, UsageError
from harness.files import canonical_json
from harness.records.latency import Block, Measurement
from harness.records.recording import Recording
from harness.records.run import RunHeader

T = TypeVar("T", RunHeader, Recording, Measurement, Block)
SHORTEST = 16


def runs_key() -> bytes | None:
    """The key from the environment, None where the project has none.

    Raises:
        UsageError: it is too short to be a secret.
    """
    given = os.environ.get(RUNS_KEY, "").strip()
    if not given:
        return None
    if len(given) < SHORTEST:
        raise UsageError(
            f"{RUNS_KEY} has less than {SHORTEST} characters", hint="openssl rand -hex 32 makes one"
        )
    return given.encode()


def signed(record: T, place: str) -> T:
    """The record with its code, or as it is where there is no key.

    `place` names the run or the measurement, so that its record counts nowhere else.
    """
    key = runs_key()
    return record if key is None else record.model_copy(update={"mac": _code(key, record, place)})


def check_signed(record: T, place: str, where: str) -> None:
    """Nothing, where there is no key or the record carries the code that the key gives it.

    Raises:
        JournalError: it carries none, or another.
    """
    key = runs_key()
    if key is None:
        return
    if record.mac is None or not hmac.compare_digest(record.mac, _code(key, record, place)):
        raise JournalError(
            f"{RUNS_KEY} does not authenticate this",
            where=where,
            hint="delete the folder and run again; what was made without the key is not used",
        )


def _code(key: bytes, record: T, place: str) -> str:
    # Without defaults, so that the new fields of a later version change no code.
    content = record.model_dump(mode="json", exclude={"mac"}, exclude_defaults=True)
    text = canonical_json([type(record).__name__, place, content])
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
