"""Score: from attempts to scores, without a server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from harness.records.attempt import Attempt
from harness.records.plan import Ask
from harness.records.score import Score
from harness.records.suite import Section, Suite
from harness.scorers.protocol import Scorer, Unscored
from harness.scorers.registry import get


def score(
    suites: Sequence[Suite], asks: Sequence[Ask], attempts: Mapping[str, Attempt]
) -> Iterator[Score]:
    """One score for every ask that has an attempt, in the order of the asks.

    A failed request is `failed`, an empty answer and a scorer that crashes are `unscored`: none
    of them is an answer, so none of them gets a value.
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
        return Score.model_validate({**place, "status": "unscored", "reason": "empty answer"})
    try:
        judgement = scorer.score(attempt.text or "", case, section.settings)
    except Exception as error:  # noqa: BLE001 - a user's scorer may raise anything
        judgement = Unscored(f"scorer `{scorer.name}` crashed: {type(error).__name__}: {error}")
    if isinstance(judgement, Unscored):
        return Score.model_validate({**place, "status": "unscored", "reason": judgement.reason})
    return Score.model_validate(
        {
            **place,
            "status": "scored",
            "value": judgement.value,
            "passed": judgement.passed,
            "terms": {
                name: term for name, term in judgement.terms.items() if name in section.metrics
            },
            "label": judgement.label,
            "reason": judgement.reason,
        }
    )
