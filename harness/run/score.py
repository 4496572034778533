"""Score: make scores from attempts, without a server."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from pydantic import ValidationError

from harness.event_loop import apart
from harness.files import digest_json
from harness.records.attempt import Attempt, Score
from harness.records.base import explain
from harness.records.metric import Metric
from harness.records.plan import PlannedRequest
from harness.records.suite import Case, Section, Suite
from harness.scorers.protocol import Judgement, Unscored


class Scoring:
    """The scorers of some suites, ready to judge.

    They are `quick` where all are built in: any other may take its time, or want an event loop of
    its own.
    """

    def __init__(self, suites: Sequence[Suite]) -> None:
        self.quick = fingerprint(suites) is not None
        self._sections = {
            (suite.name, section.name): section
            for suite in suites
            for section in suite.sections
            if section.scores_answers
        }

    def score(self, ask: PlannedRequest, attempt: Attempt) -> Score:
        """The score of what came back for a request.

        A failed request is `failed`; an empty answer, one that a content filter stopped unless the
        scorer judges those, and a scorer that crashes or gives what is no judgement, are
        `unscored`: none of them is an answer, so none of them gets a value.
        """
        return self.score_answer((ask.suite, ask.section), ask.case, attempt)

    def score_answer(self, place: tuple[str, str], case: Case, attempt: Attempt) -> Score:
        """The same for a case of the suite and section at `place`."""
        section = self._sections[place]
        if self.quick:
            return _score(case, attempt, section)
        return apart(partial(_score, case, attempt, section))


def fingerprint(suites: Sequence[Suite]) -> str | None:
    """A digest of the code that scores single answers; None where it cannot be known."""
    found = {section.fingerprint() for suite in suites for section in suite.asked}
    if None in found:
        return None
    return found.pop() if len(found) == 1 else digest_json(sorted(map(str, found)))


def score(
    suites: Sequence[Suite],
    requests: Iterable[PlannedRequest],
    attempts: Mapping[str, Attempt],
    known: Mapping[str, Score] | None = None,
) -> Iterator[tuple[Score, Attempt]]:
    """One score, with its attempt, for every request that has one, in the plan's order.

    A score in `known`, by the request's key, is reused.
    """
    scoring = Scoring(suites)
    for ask in requests:
        attempt = attempts.get(ask.key)
        if attempt is not None:
            done = known.get(ask.key) if known else None
            yield done or scoring.score(ask, attempt), attempt


def score_of(case: Case, attempt: Attempt, outcome: Mapping[str, Any]) -> Score:
    """The score of an attempt at a case: the outcome, or for a failed attempt its cause."""
    if attempt.failure is not None:
        reason = f"{attempt.failure.cause}: {attempt.failure.detail}"
        outcome = {"status": "failed", "reason": reason}
    place = {
        "key": attempt.key,
        "suite": attempt.suite,
        "section": attempt.section,
        "case": case.id,
        "repeat": attempt.repeat,
        "group": case.group,
        "critical": case.critical,
        "tags": case.tags,
        "state": attempt.state,
    }
    return Score.model_validate({**place, **outcome})


def _score(case: Case, attempt: Attempt, section: Section) -> Score:
    if attempt.state == "failed":
        return score_of(case, attempt, {})
    if attempt.state == "empty":
        return score_of(case, attempt, _unscored(attempt.emptiness))
    try:
        judge = section.judge_filtered if attempt.state == "filtered" else section.judge
        judgement = judge(attempt.text or "", case)
        if judgement is None and attempt.state == "filtered":
            return score_of(case, attempt, _unscored("stopped by a content filter"))
        score = score_of(case, attempt, _outcome(judgement, section.metrics))
        check_bounds(score, section.metrics)
        f"{score.label}{score.reason}".encode()  # half a surrogate pair cannot be written to a file
    # A user's scorer may raise anything, and an exit of its own must not end a run.
    except (Exception, SystemExit) as error:  # noqa: BLE001
        crash = f"scorer `{section.scorer}` crashed: {_named(error)}"
        return score_of(case, attempt, _unscored(crash))
    return score


def _outcome(judgement: object, metrics: Sequence[Metric]) -> dict[str, Any]:
    """What a scorer's judgement makes of a score; whatever is wrong with it raises."""
    if isinstance(judgement, Unscored):
        return {**_unscored(judgement.reason), "label": judgement.label}
    if not isinstance(judgement, Judgement):
        raise TypeError(f"gave {type(judgement).__name__} in place of a Judgement or Unscored")
    if not isinstance(judgement.passed, bool | None):  # pydantic would take 1 and "yes" for True
        raise TypeError(f"`passed` must be True, False or None, got {judgement.passed!r}")
    names = {metric.name for metric in metrics}
    return {
        "status": "scored",
        "value": judgement.value,
        "passed": judgement.passed,
        "terms": {name: term for name, term in judgement.terms.items() if name in names},
        "label": judgement.label,
        "reason": judgement.reason,
    }


def check_bounds(score: Score, metrics: Sequence[Metric]) -> None:
    """Check that the score's value and terms are within the bounds of its section's metrics.

    The value is held against the first metric's bounds.

    Raises:
        ValueError: one is out of bounds.
    """
    if score.value is not None and (wrong := metrics[0].outside(score.value)):
        raise ValueError(f"value: {wrong}")
    for metric in metrics:
        term = score.terms.get(metric.name)
        if term is not None:
            term.check(metric)


def _unscored(reason: str) -> dict[str, Any]:
    return {"status": "unscored", "reason": reason}


def _named(error: BaseException) -> str:
    """The exception on one line that can be written to a file."""
    message = explain(error) if isinstance(error, ValidationError) else str(error)
    line = " ".join(f"{type(error).__name__}: {message}".split())
    return line.encode("utf-8", "backslashreplace").decode()
