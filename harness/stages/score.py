"""Score: from attempts to scores, without a server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from harness.records.attempt import Attempt
from harness.records.base import explain
from harness.records.plan import Ask
from harness.records.score import Score
from harness.records.suite import Section, Suite
from harness.scorers.protocol import Judgement, Scorer, Unscored
from harness.scorers.registry import get


def score(
    suites: Sequence[Suite], asks: Sequence[Ask], attempts: Mapping[str, Attempt]
) -> Iterator[Score]:
    """One score for every ask that has an attempt, in the order of the asks.

    A failed request is `failed`; an empty answer, and a scorer that crashes or gives what is no
    judgement, are `unscored`: none of them is an answer, so none of them gets a value.
    """
    sections = {
        (suite.name, section.name): section for suite in suites for section in suite.sections
    }
    scorers = {key: get(section.scorer) for key, section in sections.items()}
    for ask in asks:
        attempt = attempts.get(ask.key)
        if attempt is not None:
            place = (ask.suite, ask.section)
            yield _score(ask, attempt, sections[place], scorers[place])


def _score(ask: Ask, attempt: Attempt, section: Section, scorer: Scorer) -> Score:
    case = ask.case
    place = {
        "key": ask.key,
        "suite": ask.suite,
        "section": ask.section,
        "case": case.id,
        "repeat": ask.repeat,
        "group": case.group,
        "critical": case.critical,
        "tags": case.tags,
        "state": attempt.state,
    }
    if attempt.failure is not None:
        reason = f"{attempt.failure.cause}: {attempt.failure.detail}"
        return Score.model_validate({**place, "status": "failed", "reason": reason})
    if attempt.state == "empty":
        return _unscored(place, "empty answer")
    try:
        judgement = scorer.score(attempt.text or "", case, section.settings)
        return _judged(place, judgement, section.metrics)
    # A user's scorer may raise anything, and an exit of its own must not end a run.
    except (Exception, SystemExit) as error:  # noqa: BLE001
        return _unscored(place, f"scorer `{section.scorer}` crashed: {_named(error)}")


def _judged(place: Mapping[str, Any], judgement: object, metrics: Sequence[str]) -> Score:
    """The score that a scorer's judgement makes; whatever is wrong with it raises."""
    if isinstance(judgement, Unscored):
        score = _unscored(place, judgement.reason)
    elif isinstance(judgement, Judgement):
        if not isinstance(judgement.passed, bool):  # pydantic would take 1 and "yes" for True
            raise TypeError(f"`passed` must be True or False, got {judgement.passed!r}")
        given = {
            "value": judgement.value,
            "passed": judgement.passed,
            "terms": {name: term for name, term in judgement.terms.items() if name in metrics},
            "label": judgement.label,
            "reason": judgement.reason,
        }
        score = Score.model_validate({**place, **given, "status": "scored"})
    else:
        raise TypeError(f"gave {type(judgement).__name__} in place of a Judgement or Unscored")
    f"{score.label}{score.reason}".encode()  # half a surrogate pair cannot be written to a file
    return score


def _unscored(place: Mapping[str, Any], reason: str) -> Score:
    return Score.model_validate({**place, "status": "unscored", "reason": reason})


def _named(error: BaseException) -> str:
    """The exception on one line that can be written to a file."""
    said = explain(error) if isinstance(error, ValidationError) else str(error)
    line = " ".join(f"{type(error).__name__}: {said}".split())
    return line.encode("utf-8", "backslashreplace").decode()
