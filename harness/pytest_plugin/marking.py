"""Marking: from how a Python test ended to the case that it amounts to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from harness.client.protocol import Answer, Failed
from harness.files import digest_json
from harness.pytest_plugin.talks import Heard
from harness.records.attempt import Attempt, Failure
from harness.records.recording import RecordedCase
from harness.records.score import Score, Term
from harness.records.suite import Case, Message

Ending = Literal["passed", "failed", "broken"]


@dataclass(frozen=True, slots=True)
class TestCase:
    """A Python test as a case: where it belongs, and what its marker says of it."""

    suite: str
    section: str
    id: str
    group: str | None = None
    critical: bool = False
    tags: tuple[str, ...] = ()


@dataclass(slots=True)
class Mark:
    """The score that a test gives itself; without one, passing is 1 and failing 0."""

    value: float | None = None
    passed: bool | None = None
    reason: str = ""

    def __call__(self, value: float, *, passed: bool | None = None, reason: str = "") -> None:
        """Give the test a score between 0 and 1; from 0.5 on it passes, unless told otherwise.

        Raises:
            ValueError: the value is out of range.
        """
        if not 0.0 <= value <= 1.0:
            raise ValueError(f"a score lies between 0 and 1, got {value:g}")
        self.value, self.reason = float(value), reason
        self.passed = value >= 0.5 if passed is None else bool(passed)


def recorded(
    test: TestCase, mark: Mark, heard: Heard, ending: Ending, said: str, run: str
) -> RecordedCase:
    """The test as a case of the run, with its attempt and its score.

    Where it ended broken, by anything but an assertion, it is unscored: what a test could not find
    out is nothing against the target. A failed assertion stands, whatever score was given before.
    """
    messages, attempt = _heard(test, heard, run)
    case = Case(
        id=test.id,
        group=test.group or test.id,
        messages=messages,
        tags=test.tags,
        critical=test.critical,
    )
    place = {
        "key": attempt.key,
        "suite": test.suite,
        "section": test.section,
        "case": case.id,
        "repeat": 0,
        "group": case.group,
        "critical": case.critical,
        "tags": case.tags,
        "state": attempt.state,
    }
    if attempt.status == "failed":
        assert attempt.failure is not None
        reason = f"{attempt.failure.cause}: {attempt.failure.detail}"
        score = Score.model_validate({**place, "status": "failed", "reason": reason})
    elif ending == "broken":
        score = Score.model_validate({**place, "status": "unscored", "reason": said or "broken"})
    else:
        score = Score.model_validate({**place, "status": "scored", **_judged(mark, ending, said)})
    return RecordedCase(case=case, attempt=attempt, score=score)


def _judged(mark: Mark, ending: Ending, said: str) -> dict[str, Any]:
    if ending == "failed":
        value, passed, reason = 0.0, False, said
    elif mark.value is None:
        value, passed, reason = 1.0, True, mark.reason
    else:
        value, passed, reason = mark.value, bool(mark.passed), mark.reason
    term = Term(num=value, den=1.0)
    return {"value": value, "passed": passed, "reason": reason, "terms": {"accuracy": term}}


def _heard(test: TestCase, heard: Heard, run: str) -> tuple[Sequence[Message], Attempt]:
    """The last conversation, or the one that failed, with what came of it.

    A test that asked nothing has its own name for a question, and an empty answer.
    """
    place: dict[str, Any] = {
        "key": digest_json(["pytest", run, test.suite, test.section, test.id]),
        "suite": test.suite,
        "section": test.section,
        "case": test.id,
        "repeat": 0,
    }
    if not heard.exchanges:
        question = (Message(role="user", content=f"({test.id} asked nothing)"),)
        return question, Attempt(**place, status="answered", text="")
    lost = (one for one in heard.exchanges if isinstance(one[1], Failed))
    whole, reply = next(lost, heard.exchanges[-1])
    messages = tuple(message for message in whole if message.role != "system") or whole
    if isinstance(reply, Answer):
        return messages, Attempt(
            **place,
            status="answered",
            text=reply.text,
            reasoning=reply.reasoning,
            finish_reason=reply.finish_reason,
            usage=reply.usage,
            timing=reply.timing,
            tries=reply.tries,
        )
    failure: Failure = reply.failure
    return messages, Attempt(
        **place, status="failed", failure=failure, timing=reply.timing, tries=reply.tries
    )
