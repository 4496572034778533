"""Work scores, bounds and verdict of a promotion out again, from its evidence alone."""

from __future__ import annotations

import math
import re
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from pydantic import ValidationError

from harness.errors import EvidenceError, HarnessError
from harness.files import digest_json
from harness.gate.compare import compare
from harness.gate.differences import with_regressions
from harness.gate.judge import Circumstances, gate, with_power
from harness.latency.analyse import analyse
from harness.receipt.dsse import ReceiptRejected
from harness.receipt.evidence import (
    SIDES,
    Evidence,
    FileLine,
    OfCase,
    RecordedLine,
    SideName,
    policy_record,
)
from harness.records.attempt import Score
from harness.records.base import explain
from harness.records.comparison import ComparisonRecord
from harness.records.recording import RecordedCase
from harness.records.rule import Policy
from harness.records.suite import Section, Suite
from harness.records.verdict import Verdict
from harness.run.rescore import scored_again
from harness.run.score import fingerprint
from harness.scorers.registry import fingerprint as scorer_fingerprint
from harness.sections.evidence import SCORER
from harness.sections.section_kinds import ResultsAgain, kinds
from harness.sections.work import recorded_case
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
        raise _other_scorers(evidence.gate.verdict, where)


def _other_scorers(verdict: Verdict, where: str) -> NotRecomputed:
    return NotRecomputed(
        "the code that scores answers is another version than when this was sealed, so the "
        "scores cannot be recomputed: nothing says that they were changed",
        where=where,
        hint=f"use harness {verdict.harness_version} (this is {__version__})",
    )


class Checked(NamedTuple):
    """How many scores follow from their answers, and how many stand as they were sealed."""

    scored: int
    standing: int


def check_scores(
    cases: Iterable[OfCase], evidence: Evidence, suites: Sequence[Suite], where: str, *, whole: bool
) -> Checked:
    """How many answers earn the score that is sealed, and how many scores stand as they are.

    Unless the cases are the `whole` evidence, results that follow from several answers may stand.

    Raises:
        ReceiptRejected: one earns another.
        NotRecomputed: the same, of code of which nothing tells whether it has changed.
    """
    answers, recorded = [], defaultdict(list)
    for case in cases:
        if isinstance(case, RecordedLine):
            recorded[case.side, *case.case.score.place].append(case.case)
        elif case.score is not None:
            answers.append(case)
    again: dict[tuple[str, str], Score] = {}
    for side in SIDES:
        attempts = {one.attempt.key: one.attempt for one in answers if one.side == side}
        again |= {(side, found.key): found for found in scored_again(suites, attempts)}
    known = evidence.runs["candidate"].header.scorers is not None
    for one in answers:
        if again.get((one.side, one.attempt.key)) != one.score:
            what = f"the {one.side}'s answer to {one.attempt.path} does not earn the score it has"
            raise _unearned(what, where, known=known)
    standing = 0
    for (side, *place), own in recorded.items():
        left = _standing(evidence, side, _section(suites, *place), own, where)
        if whole and 0 < len(left) < len(own):
            what = f"the {side}'s result of {left[0].attempt.path} follows from no answer"
            raise ReceiptRejected(what, where=where)
        standing += len(left)
    total = sum(map(len, recorded.values()))
    return Checked(len(answers) + total - standing, standing)


def _unearned(what: str, where: str, *, known: bool) -> EvidenceError:
    if known:
        return ReceiptRejected(what, where=where)
    return NotRecomputed(
        f"{what}; whether its scorer has changed since it was sealed is not known",
        where=where,
        hint="use the version of the scorer's package that it was sealed with",
    )


def _section(suites: Sequence[Suite], suite: str, section: str) -> tuple[Suite, Section] | None:
    of = [(one, each) for one in suites if one.name == suite for each in one.sections]
    return next(((one, each) for one, each in of if each.name == section), None)


def _standing(
    evidence: Evidence,
    side: SideName,
    of: tuple[Suite, Section] | None,
    cases: Sequence[RecordedCase],
    where: str,
) -> list[RecordedCase]:
    """The section's results that do not follow from the answers at hand; the others do.

    Raises:
        ReceiptRejected: one has another result.
        NotRecomputed: the same, of code of which nothing tells whether it has changed.
    """
    kind = None if of is None else kinds().get(of[1].kind)
    if of is None or not isinstance(kind, ResultsAgain):
        return list(cases)
    (suite, section), run = of, evidence.runs[side]
    rests_on = {(one.get("suite"), one.get("section")): one.get("rests_on") for one in run.taken}
    was = (rests_on.get((suite.name, section.name)) or {}).get(f"{SCORER}{section.scorer}")
    now = scorer_fingerprint((section.scorer,)) or ""
    if was != now:
        raise _other_scorers(evidence.gate.verdict, where)
    sealed = {(one.case.id, one.score.repeat): one for one in cases}
    attempts = {name: one.attempt for name, one in sealed.items()}
    for result in kind.results_again(suite, section, attempts):
        again = recorded_case(run.header.run_id, suite.name, section, result)
        one = sealed.pop((again.case.id, again.score.repeat), None)
        if one is not None and again != one:
            what = f"the {side}'s result of {one.attempt.path} does not follow from its answers"
            raise _unearned(what, where, known=bool(now))
    return list(sealed.values())


def compared(
    evidence: Evidence, suites: Sequence[Suite], policy: Policy, where: str
) -> ComparisonRecord:
    """The comparison that the evidence leads to.

    Raises:
        ReceiptRejected: its blocks of latency cannot have been measured.
    """
    found = compare(
        evidence.run("candidate"),
        evidence.run("baseline"),
        suites,
        weigh=policy.weigh,
        looks=policy.sequential,
    )
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

    The noise of the baseline and warnings of past gates, which decide nothing, are taken over, and
    so is what the holdout suite said, whose cases are not part of the evidence.

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
    comparison = compared(evidence, suites, policy, where)
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
    again = again.with_holdout(sealed.holdout)
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
