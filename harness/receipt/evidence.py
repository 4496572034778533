"""The evidence of a promotion: all that its verdict follows from, one record a line.

First stands what the gate was given, then the headers of both runs, the suites' files, people's
labels and the latency's blocks, and at last the answers with their scores, in the order of the
runs.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError

from harness import strict_json
from harness.gate.seal import slim
from harness.receipt.dsse import ReceiptRejected
from harness.records.attempt import Attempt, Score
from harness.records.base import Record, explain
from harness.records.comparison import ComparisonRecord
from harness.records.history import PromotionException
from harness.records.label import Label
from harness.records.latency import Block, Measurement
from harness.records.leakage import Leakage
from harness.records.recording import RecordedCase, RecordedSection
from harness.records.rule import Policy
from harness.records.run import RunHeader, RunRecord
from harness.records.verdict import Verdict

SideName = Literal["candidate", "baseline"]
SIDES: tuple[SideName, ...] = ("candidate", "baseline")


class GateLine(Record):
    """What the gate and the promotion were given, and the verdict.

    `suites` has the main file of each suite, by the suite's name.
    """

    kind: Literal["gate"] = "gate"
    name: str
    sealed: str
    exception: PromotionException | None = None
    policy: dict[str, Any]
    suites: dict[str, str]
    verdict: Verdict
    labels_left_out: dict[str, int] = Field(default_factory=dict)
    leakage: Leakage | None = None


class RunLine(Record):
    """One side's header, and what is known of the sections that its Python tests recorded.

    `taken` are those sections without their cases, which are lines of their own.
    """

    kind: Literal["run"] = "run"
    side: SideName
    header: RunHeader
    unrecorded: tuple[tuple[str, str, str], ...] = ()
    taken: tuple[dict[str, Any], ...] = ()


class FileLine(Record):
    """A file of a suite, by its place in the suite's folder; in base64 where it is no UTF-8."""

    kind: Literal["file"] = "file"
    suite: str
    path: str
    text: str | None = None
    base64: str | None = None

    @property
    def data(self) -> bytes:
        """What the file holds.

        Raises:
            ValueError: it is no base64.
        """
        if self.text is not None:
            return self.text.encode()
        return base64.b64decode(self.base64 or "", validate=True)


class LabelLine(Record):
    """What a person said of an answer of one side."""

    kind: Literal["label"] = "label"
    side: SideName
    label: Label


class MeasurementLine(Record):
    """The header of the measurement of latency."""

    kind: Literal["measurement"] = "measurement"
    measurement: Measurement


class BlockLine(Record):
    """A block of that measurement."""

    kind: Literal["block"] = "block"
    block: Block


class AnswerLine(Record):
    """An answer of one side; its score follows from it."""

    kind: Literal["answer"] = "answer"
    side: SideName
    attempt: Attempt
    score: Score | None = None


class RecordedLine(Record):
    """A case of a section that is more than a scorer's prompts; its score stands as it is."""

    kind: Literal["recorded"] = "recorded"
    side: SideName
    case: RecordedCase


Line = GateLine | RunLine | FileLine | LabelLine | MeasurementLine | BlockLine
OfCase = AnswerLine | RecordedLine
_LINE: TypeAdapter[Line | OfCase] = TypeAdapter(
    Annotated[Line | OfCase, Field(discriminator="kind")]
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """The lines of one promotion, by what they are."""

    gate: GateLine
    runs: dict[SideName, RunLine]
    files: tuple[FileLine, ...]
    labels: tuple[LabelLine, ...] = ()
    measurement: Measurement | None = None
    blocks: tuple[Block, ...] = ()
    cases: tuple[OfCase, ...] = ()

    def lines(self) -> Iterator[str]:
        """Each record as a line, without its end."""
        yield _text(self.gate)
        yield from (_text(self.runs[side]) for side in SIDES)
        yield from (_text(file) for file in self.files)
        yield from (_text(label) for label in self.labels)
        if self.measurement is not None:
            yield _text(MeasurementLine(measurement=self.measurement))
        yield from (_text(BlockLine(block=block)) for block in self.blocks)
        yield from (_text(case) for case in self.cases)

    def run(self, side: SideName) -> RunRecord:
        """One side's run, as it was compared."""
        known = self.runs[side]
        mine = [case for case in self.cases if case.side == side]
        recorded = tuple(one.case for one in mine if isinstance(one, RecordedLine))
        taken = tuple(_taken(section, recorded) for section in known.taken)
        attempts = {one.key: one for one in (_attempt(case) for case in mine)}
        return RunRecord(
            known.header,
            tuple(attempts.values()),
            tuple(score for case in mine if (score := score_of(case)) is not None),
            recorded,
            {(suite, section): why for suite, section, why in known.unrecorded},
            taken,
        )

    def labels_of(self, side: SideName) -> tuple[Label, ...]:
        """What people said of a side's answers."""
        return tuple(one.label for one in self.labels if one.side == side)


def gather(
    comparison: ComparisonRecord,
    gate: GateLine,
    files: Mapping[str, Mapping[str, Path]],
    latency: tuple[Measurement, Sequence[Block]] | None,
) -> Evidence:
    """The evidence of a comparison; `files` are those of each suite by their place in its folder.

    Raises:
        StorageError: a suite's file cannot be read.
    """
    runs = {"candidate": comparison.candidate, "baseline": comparison.baseline}
    labels = {"candidate": comparison.candidate_labels, "baseline": comparison.baseline_labels}
    return Evidence(
        gate=gate,
        runs={side: _run_line(side, runs[side]) for side in SIDES},
        files=tuple(
            _file_line(suite, name, path.read_bytes())
            for suite, found in files.items()
            for name, path in found.items()
        ),
        labels=tuple(LabelLine(side=side, label=one) for side in SIDES for one in labels[side]),
        measurement=None if latency is None else latency[0].model_copy(update={"mac": None}),
        blocks=()
        if latency is None
        else tuple(block.model_copy(update={"mac": None}) for block in latency[1]),
        cases=tuple(case for side in SIDES for case in _cases(side, runs[side])),
    )


def policy_record(policy: Policy) -> dict[str, Any]:
    """The policy as the evidence has it."""
    return policy.model_dump(mode="json", exclude_none=True)


def score_of(case: OfCase) -> Score | None:
    """The score of a line, None where it has none."""
    return case.case.score if isinstance(case, RecordedLine) else case.score


def _attempt(case: OfCase) -> Attempt:
    return case.case.attempt if isinstance(case, RecordedLine) else case.attempt


def _run_line(side: SideName, run: RunRecord) -> RunLine:
    return RunLine(
        side=side,
        header=run.header.model_copy(update={"chain": (), "mac": None}),  # of files left behind
        unrecorded=tuple((*place, why) for place, why in run.unrecorded.items()),
        taken=tuple(
            one.model_dump(mode="json", exclude={"cases"}, exclude_defaults=True)
            for one in run.taken
        ),
    )


def _taken(section: dict[str, Any], recorded: Iterable[RecordedCase]) -> RecordedSection:
    place = section.get("suite"), section.get("section")
    cases = tuple(one for one in recorded if one.score.place == place)
    return RecordedSection.model_validate({**section, "cases": cases})


def _file_line(suite: str, name: str, data: bytes) -> FileLine:
    try:
        return FileLine(suite=suite, path=name, text=data.decode())
    except UnicodeDecodeError:
        return FileLine(suite=suite, path=name, base64=base64.b64encode(data).decode())


def _cases(side: SideName, run: RunRecord) -> Iterator[OfCase]:
    """The side's cases in the order of its scores, then what has no score."""
    attempts = {one.key: one for one in run.attempts}
    recorded = {one.score.key: one for one in run.recorded}
    for score in run.scores:
        known = recorded.get(score.key)
        if known is not None:
            slimmed = known.model_copy(update={"attempt": slim(known.attempt)})
            yield RecordedLine(side=side, case=slimmed)
        else:
            yield AnswerLine(side=side, attempt=slim(attempts.pop(score.key)), score=score)
    for key, attempt in attempts.items():
        if key not in recorded:
            yield AnswerLine(side=side, attempt=slim(attempt))


def _text(line: Line | OfCase) -> str:
    # Without defaults, so that the new fields of a later version change no line; in the order of
    # the records, which some of their digests depend on.
    content = {"kind": line.kind, **line.model_dump(mode="json", exclude_defaults=True)}
    return json.dumps(content, separators=(",", ":"))


def read_line(data: bytes, where: str) -> Line | OfCase:
    """The record of a line.

    Raises:
        ReceiptRejected: it is none.
    """
    try:
        return _LINE.validate_python(strict_json.decode(data.decode()))
    except ValidationError as error:
        raise ReceiptRejected(f"is no record of evidence: {explain(error)}", where=where) from None
    except ValueError as error:
        raise ReceiptRejected(f"is no record of evidence: {error}", where=where) from None


def read_evidence(lines: Iterable[bytes], where: str) -> Evidence:
    """The evidence that the lines hold.

    Raises:
        ReceiptRejected: a line is no record, or one is missing, doubled or out of its order.
    """
    found = [read_line(line, f"{where}:{number}") for number, line in enumerate(lines, 1)]

    def all_of(kind: type[Any]) -> tuple[Any, ...]:
        return tuple(line for line in found if isinstance(line, kind))

    gates, runs, measured = all_of(GateLine), all_of(RunLine), all_of(MeasurementLine)
    if len(gates) != 1 or [one.side for one in runs] != list(SIDES) or len(measured) > 1:
        raise ReceiptRejected("lacks what the gate was given, or has it twice", where=where)
    return Evidence(
        gate=gates[0],
        runs={one.side: one for one in runs},
        files=all_of(FileLine),
        labels=all_of(LabelLine),
        measurement=measured[0].measurement if measured else None,
        blocks=tuple(one.block for one in all_of(BlockLine)),
        cases=tuple(line for line in found if isinstance(line, AnswerLine | RecordedLine)),
    )
