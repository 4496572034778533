"""The statement of a receipt: an in-toto Statement v1 on the files that a promotion wrote."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from harness.files import canonical_json, digest_json
from harness.receipt.evidence import SIDES, Evidence
from harness.records.attempt import Attempt, Score
from harness.records.base import Record
from harness.records.run import RunRecord

STATEMENT_TYPE: Final = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE: Final = "urn:harness:promotion:v1"


class Subject(Record):
    """A file that the statement is about, by its place beside the receipt (ResourceDescriptor)."""

    name: str
    digest: dict[Literal["sha256"], str] = Field(min_length=1)


class Side(Record):
    """One side of the comparison, each as a digest: what it is, and what it answered.

    `model` and `adapter` are those of the weights, None where nothing is known of them; `identity`
    is that of all that an answer depends on.
    """

    target: str
    run: str
    model: str | None
    adapter: str | None
    identity: str
    answers: str
    scores: str


class Tree(Record):
    """The head of the Merkle tree over the evidence, and how many records it has.

    The last `answers` of them are answers with their scores.
    """

    hash: Literal["rfc9162-sha256"] = "rfc9162-sha256"
    records: int = Field(ge=1)
    answers: int = Field(ge=0)
    root: str


class Decided(Record):
    """The verdict, and the digest of all that it says."""

    decision: str
    digest: str


class Predicate(Record):
    """What a promotion rests on.

    `scorers` is the fingerprint of the code that scored single answers, None where it has none.
    """

    name: str
    sealed: str
    harness: str
    candidate: Side
    baseline: Side
    suites: dict[str, str]
    scorers: str | None
    policy: str
    verdict: Decided
    tree: Tree


class Statement(Record):
    """An in-toto Statement v1 with the predicate of a promotion."""

    model_config = ConfigDict(populate_by_name=True)

    type: Literal["https://in-toto.io/Statement/v1"] = Field(default=STATEMENT_TYPE, alias="_type")
    subject: tuple[Subject, ...] = Field(min_length=1)
    predicate_type: Literal["urn:harness:promotion:v1"] = Field(
        default=PREDICATE_TYPE, alias="predicateType"
    )
    predicate: Predicate

    @property
    def body(self) -> bytes:
        """The statement as the payload of its envelope."""
        return canonical_json(self.model_dump(mode="json", by_alias=True)).encode()


def predicate_of(evidence: Evidence, root: str, records: int) -> Predicate:
    """What the evidence amounts to."""
    gate = evidence.gate
    runs = {side: evidence.run(side) for side in SIDES}
    ours = runs["candidate"].header
    return Predicate(
        name=gate.name,
        sealed=gate.sealed,
        harness=gate.verdict.harness_version,
        candidate=_side(runs["candidate"]),
        baseline=_side(runs["baseline"]),
        suites=dict(ours.suites),
        scorers=ours.scorers,
        policy=digest_json(gate.policy),
        verdict=Decided(decision=gate.verdict.verdict, digest=digest_json(_dump(gate.verdict))),
        tree=Tree(records=records, answers=len(evidence.cases), root=root),
    )


def statement_of(files: Mapping[str, str], predicate: Predicate) -> Statement:
    """The statement on the files, whose SHA-256 is given in hexadecimal by their names."""
    return Statement(
        subject=tuple(
            Subject(name=name, digest={"sha256": digest}) for name, digest in sorted(files.items())
        ),
        predicate=predicate,
    )


def _side(run: RunRecord) -> Side:
    identity = run.header.identity
    return Side(
        target=run.header.target,
        run=run.header.run_id,
        model=identity.weights,
        adapter=identity.adapter,
        identity=digest_json(_dump(identity)),
        answers=_digest(run.attempts),
        scores=_digest(run.scores),
    )


def _digest(records: Collection[Attempt] | Collection[Score]) -> str:
    return digest_json(sorted(([one.key, _dump(one)] for one in records), key=lambda one: one[0]))


def _dump(record: BaseModel) -> Any:
    # Without defaults, so that the new fields of a later version change no digest.
    return record.model_dump(mode="json", exclude_defaults=True)
