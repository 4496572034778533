"""Marking: from how a Python test ended to the case that it amounts to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from pydantic import Field, StrictBool

from harness.client.protocol import Answer, Failed
from harness.files import digest_json
from harness.pytest_plugin.talks import Heard
from harness.records.attempt import Attempt, Failure
from harness.records.base import Record
from harness.records.recording import RecordedCase
from harness.records.score import Score, Term
from harness.records.suite import Case, Message
from harness.sections.python import METRICS

Ending = Literal["passed", "failed", "broken", "skipped"]


class CaseMark(Record):
    """What `@pytest.mark.case(...)` says of a Python test."""

    group: str | None = Field(default=None, pattern=r"\S")
    critical: StrictBool = False
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TestCase:
    """A Python test as a case: where it belongs, and what its marker says of it."""

    suite: str
    section: str
    id: str
    said: CaseMark = field(default_factory=CaseMark)


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
            TypeError: the reason is no text.
        """
        if not 0.0 <= value <= 1.0:
            raise ValueError(f"a score lies between 0 and 1, got {value:g}")
        if not isinstance(reason, str):
            raise TypeError(f"a reason is a text, got {type(reason).__name__}")
        self.value, self.reason = float(value), reason
        self.passed = value >= 0.5 if passed is None else bool(passed)


class Sat(Protocol):
    """What is used of a sitting."""

    heard: Heard
    mark: Mark
    judged_by: str | None
    against: str | None


@dataclass(frozen=True, slots=True)
class Ended:
    """How a test ended, and what was said then."""

    ending: Ending
    said: str = ""


def recorded(test: TestCase, sitting: Sat, ended: Ended, run: str) -> RecordedCase:
    """The test as a case of the run, with its attempt and its score.

    Where it ended broken, by anything but an assertion of its own, or was skipped, it is unscored:
    what a test could not find out is nothing against the target. So is one that heard an empty
    answer, which is no answer, unless it gave itself a score. A failed assertion stands, whatever
    score was given.
    """
    messages, attempt = _heard(test, sitting.heard, run)
    case = Case(
        id=test.id,
        group=test.said.group or test.id,
        messages=messages,
        tags=test.said.tags,
        critical=test.said.critical,
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
    mark = sitting.mark
    if attempt.failure is not None:
        reason = f"{attempt.failure.cause}: {attempt.failure.detail}"
        told: dict[str, Any] = {"status": "failed", "reason": reason}
    elif ended.ending in ("broken", "skipped"):
        told = {"status": "unscored", "reason": ended.said or "broken"}
    elif sitting.heard.exchanges and attempt.state == "empty" and mark.value is None:
        told = {"status": "unscored", "reason": "empty answer"}
    else:
        told = {"status": "scored", **_judged(mark, ended)}
    score = Score.model_validate({**place, **told})
    return RecordedCase(
        case=case,
        attempt=attempt,
        score=score,
        judge=sitting.judged_by,
        baseline=sitting.against,
        broken=ended.ending == "broken",
    )


def _judged(mark: Mark, ended: Ended) -> dict[str, Any]:
    if ended.ending == "failed":
        value, passed, reason = 0.0, False, ended.said
    elif mark.value is None:
        value, passed, reason = 1.0, True, mark.reason
    else:
        value, passed, reason = mark.value, bool(mark.passed), mark.reason
    term = Term(num=value, den=1.0)
    terms = {metric.name: term for metric in METRICS}
    return {"value": value, "passed": passed, "reason": reason, "terms": terms}


def _heard(test: TestCase, heard: Heard, run: str) -> tuple[Sequence[Message], Attempt]:
    """The last conversation, or the first that failed or came to nothing, with what came of it.

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
    lost = [one for one in heard.exchanges if isinstance(one[1], Failed)]
    empty = [
        one for one in heard.exchanges if isinstance(one[1], Answer) and not one[1].text.strip()
    ]
    whole, reply = next(iter([*lost, *empty]), heard.exchanges[-1])
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
