"""Work scores, bounds and verdict of a promotion out again, from its evidence alone."""

from __future__ import annotations

import math
import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from pydantic import ValidationError

from harness.errors import EvidenceError, HarnessError
from harness.files import digest_json
from harness.gate.compare import compare
from harness.gate.differences import with_regressions
from harness.gate.judge import Circumstances, gate, with_power
from harness.latency.analyse import analyse
from harness.receipt.dsse import ReceiptRejected
from harness.receipt.evidence import (
    AnswerLine,
    Evidence,
    FileLine,
    OfCase,
    policy_record,
)
from harness.records.attempt import Score
from harness.records.base import explain
from harness.records.comparison import ComparisonRecord, Weigh
from harness.records.rule import Policy
from harness.records.suite import Suite
from harness.records.verdict import Verdict
from harness.run.rescore import scored_again
from harness.run.score import fingerprint
from harness.sections.section_kinds import kinds
from harness.suites.load import load_suite
from harness.version import __version__


class NotRecomputed(EvidenceError):
    """A receipt whose records cannot be worked out again here; that is no sign of a change."""


@contextmanager
def sealed_suites(evidence: Evidence, where: str) -> Iterator[tuple[Suite, ...]]:
    """The suites as they were sealed, while the block lasts: their files lie in a folder that goes.

    Raises:
        ReceiptRejected: a file's place leads out of its suite's folder.
        NotRecomputed: a suite cannot be loaded, or is another version as it is read here, or the
            code that scores its answers is another.
    """
    header = evidence.runs["candidate"].header
    with tempfile.TemporaryDirectory(prefix="harness-verify-") as folder:
        for file in evidence.files:
            _lay_out(Path(folder), file, where)
        if not evidence.gate.suites.items() <= {(one.suite, one.path) for one in evidence.files}:
            raise ReceiptRejected("names a suite whose file it does not hold", where=where)
        suites = tuple(
            _load(Path(folder) / name / main, header.suites.get(name), where)
            for name, main in evidence.gate.suites.items()
        )
        if {suite.name for suite in suites} != set(header.suites):
            raise ReceiptRejected("lacks a suite of the run, or has another", where=where)
        _check_scorers(evidence, suites, where)
        yield suites


def _lay_out(folder: Path, file: FileLine, where: str) -> None:
    place = PurePosixPath(file.suite, file.path)
    if place.is_absolute() or ".." in place.parts or "\0" in str(place):
        raise ReceiptRejected(f"`{file.path}` leads out of its suite's folder", where=where)
    target = folder / place
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.data)
    except (OSError, ValueError) as error:
        raise ReceiptRejected(f"`{file.path}` cannot be a file: {error}", where=where) from None


def _load(path: Path, digest: str | None, where: str) -> Suite:
    name = path.parent.name
    try:
        suite = load_suite(path, kinds())
    except HarnessError as error:
        raise NotRecomputed(
            f"suite `{name}` cannot be read here, so nothing can be recomputed: {error.what}",
            where=where,
            hint="install the scorers and kinds of section that it was judged with",
        ) from None
    if suite.digest != digest:
        raise NotRecomputed(
            f"suite `{name}` is another version as it is read here, so nothing can be recomputed",
            where=where,
            hint="use the harness and the plugins that it was sealed with",
        )
    return suite


def _check_scorers(evidence: Evidence, suites: Sequence[Suite], where: str) -> None:
    was, now = evidence.runs["candidate"].header.scorers, fingerprint(suites)
    if was is not None and was != now:
        raise NotRecomputed(
            "the code that scores answers is another version than when this was sealed, so the "
            "scores cannot be recomputed: nothing says that they were changed",
            where=where,
            hint=f"use harness {evidence.gate.verdict.harness_version} (this is {__version__})",
        )


def check_scores(
    cases: Iterable[OfCase], evidence: Evidence, suites: Sequence[Suite], where: str
) -> int:
    """How many answers earn the score that is sealed; what was recorded is not scored again.

    Raises:
        ReceiptRejected: one earns another.
        NotRecomputed: the same, of code of which nothing tells whether it has changed.
    """
    answers = [case for case in cases if isinstance(case, AnswerLine) and case.score is not None]
    again: dict[tuple[str, str], Score] = {}
    for side in ("candidate", "baseline"):
        attempts = {one.attempt.key: one.attempt for one in answers if one.side == side}
        again |= {(side, found.key): found for found in scored_again(suites, attempts)}
    for one in answers:
        if again.get((one.side, one.attempt.key)) == one.score:
            continue
        what = f"the {one.side}'s answer to {one.attempt.path} does not earn the score it has"
        if evidence.runs["candidate"].header.scorers is None:
            raise NotRecomputed(
                f"{what}; whether its scorer has changed since it was sealed is not known",
                where=where,
                hint="use the version of the scorer's package that it was sealed with",
            )
        raise ReceiptRejected(what, where=where)
    return len(answers)


def compared(
    evidence: Evidence, suites: Sequence[Suite], weigh: Weigh, where: str
) -> ComparisonRecord:
    """The comparison that the evidence leads to.

    Raises:
        ReceiptRejected: its blocks of latency cannot have been measured.
    """
    found = compare(evidence.run("candidate"), evidence.run("baseline"), suites, weigh=weigh)
    latency = None
    if evidence.measurement is not None:
        try:
            latency = analyse(evidence.measurement, evidence.blocks)
        except ValueError as error:
            raise ReceiptRejected(f"has no possible latency: {error}", where=where) from None
    return replace(
        found,
        candidate_labels=evidence.labels_of("candidate"),
        baseline_labels=evidence.labels_of("baseline"),
        labels_left_out=dict(evidence.gate.labels_left_out),
        leakage=evidence.gate.leakage,
        latency=latency,
    )


def check_verdict(evidence: Evidence, suites: Sequence[Suite], where: str) -> Verdict:
    """The verdict given again, which is the sealed one.

    The noise of the baseline and warnings of past gates, which decide nothing, are taken over.

    Raises:
        ReceiptRejected: the records lead to another verdict, or to other numbers.
        NotRecomputed: the same, where it was given by another version of the harness.
    """
    sealed = evidence.gate.verdict
    try:
        policy = Policy.model_validate(evidence.gate.policy)
    except ValidationError as error:
        raise NotRecomputed(
            f"the policy cannot be read here, so no verdict can be recomputed: {explain(error)}",
            where=where,
            hint="install the kinds of rule that it was judged with",
        ) from None
    if policy_record(policy) != evidence.gate.policy:
        raise ReceiptRejected("the policy is not written as one is", where=where)
    comparison = compared(evidence, suites, policy.weigh, where)
    hashes = sealed.hashes.model_copy(
        update={
            "suites": digest_json({suite.name: suite.digest for suite in suites}),
            "candidate": comparison.candidate.digest(),
            "baseline": comparison.baseline.digest(),
        }
    )
    given = Circumstances(policy.baseline, hashes, sealed.harness_version, sealed.created)
    again = gate(comparison, policy, given)
    if not again.problems:
        again = with_regressions(with_power(again, comparison, policy), comparison)
    again = again.with_noise(sealed.noise_by_metric()).with_warnings(sealed.of_the_past)
    ours, theirs = sealed.model_dump(mode="json"), again.model_dump(mode="json")
    parts = [name for name in ours | theirs if not alike(ours.get(name), theirs.get(name))]
    if not parts:
        return again
    what = f"the records lead to another verdict: {', '.join(parts)} differ"
    if sealed.harness_version != __version__:
        raise NotRecomputed(
            f"{what}, and it was given by harness {sealed.harness_version}",
            where=where,
            hint=f"use that version (this is {__version__})",
        )
    raise ReceiptRejected(what, where=where)


_NUMBER = re.compile(r"(\d+(?:\.\d+)?)")
# Other processors and libraries differ in the last digits, and an optimiser in a few more.
_RELATIVE, _ABSOLUTE = 1e-6, 1e-9


def alike(one: Any, other: Any) -> bool:
    """Whether two JSON values are the same, but for what another machine makes of a number.

    Numbers in a text may differ by one in their last decimal.
    """
    if isinstance(one, dict) and isinstance(other, dict):
        return all(alike(one.get(key), other.get(key)) for key in one | other)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(alike, one, other))
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=_RELATIVE, abs_tol=_ABSOLUTE)
    if isinstance(one, str) and isinstance(other, str) and one != other:
        parts, others = _NUMBER.split(one), _NUMBER.split(other)
        return len(parts) == len(others) and all(map(_alike_word, parts, others))
    return bool(one == other)


def _alike_word(one: str, other: str) -> bool:
    decimals = len(one.partition(".")[2])
    if one == other or not decimals or len(other.partition(".")[2]) != decimals:
        return one == other
    return bool(_NUMBER.fullmatch(one)) and abs(float(one) - float(other)) < 1.5 * 10**-decimals
