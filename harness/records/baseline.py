"""A baseline: a sealed run that a promotion has blessed."""

from __future__ import annotations

from typing import Literal

from harness.files import digest_json
from harness.records.attempt import Attempt
from harness.records.base import Record
from harness.records.recording import RecordedCase
from harness.records.run import RunHeader
from harness.records.score import Score
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
    seal: str = ""

    def content_digest(self) -> str:
        """The digest of the record without its seal.

        Fields at their default are left out, so that a later version's new ones break no seal.
        """
        return digest_json(self.model_dump(mode="json", exclude={"seal"}, exclude_defaults=True))
