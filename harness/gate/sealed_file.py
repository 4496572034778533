"""The file of a sealed baseline of one suite."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from harness.errors import EvidenceError, UsageError
from harness.files import digest_json, read_bytes
from harness.records.attempt import Attempt, Score
from harness.records.base import Record, explain
from harness.records.history import PromotionException
from harness.records.recording import RecordedCase
from harness.records.run import RunHeader
from harness.records.verdict import Verdict


class Baseline(Record):
    """`baselines/<suite>/<name>.json`: header, attempts and scores of one suite, under a seal.

    `seal` is the digest of everything else in the file, so that an edit by hand is noticed.
    """

    schema_version: Literal[1] = 1
    name: str
    suite: str
    header: RunHeader
    attempts: tuple[Attempt, ...]
    scores: tuple[Score, ...]
    recorded: tuple[RecordedCase, ...] = ()
    verdict: Verdict
    sealed: str
    exception: PromotionException | None = None
    seal: str = ""

    def content_digest(self) -> str:
        """The digest of the record without its seal.

        Fields at their default are left out, so that a later version's new ones break no seal.
        """
        return digest_json(self.model_dump(mode="json", exclude={"seal"}, exclude_defaults=True))


def read_sealed(path: Path) -> Baseline:
    """The baseline in a file, after its seal was checked.

    Raises:
        UsageError: there is no such file.
        EvidenceError: it is damaged, or was edited after it was sealed.
    """
    data = read_bytes(path)
    if data is None:
        raise UsageError("no such baseline", where=str(path), hint="`harness promote` writes it")
    try:
        record = Baseline.model_validate_json(data)
    except ValidationError as error:
        raise EvidenceError(explain(error), where=str(path)) from None
    if record.seal != record.content_digest():
        raise EvidenceError(
            "was changed after it was sealed",
            where=str(path),
            hint="restore the committed file, or promote again",
        )
    return record
