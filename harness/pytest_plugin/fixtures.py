"""Fixtures of Python tests, and the recorded case that a running test becomes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest
from pydantic import Field, StrictBool

from harness.client.protocol import Answer, Failed
from harness.errors import UsageError
from harness.files import digest_json
from harness.pytest_plugin.chat import Chat, ChatTarget, Exchange, LiveTargets
from harness.pytest_plugin.findings import SectionKey
from harness.pytest_plugin.session import SessionState
from harness.records.attempt import Attempt, Score, Term
from harness.records.base import Record
from harness.records.recording import RecordedCase
from harness.records.suite import Case, Message, Suite
from harness.run.few_shot import examples_of
from harness.run.llm_judge import Opinion, judge_digest, opinion
from harness.sections.evidence import baseline_digest
from harness.sections.python import METRICS

Ending = Literal["passed", "failed", "broken", "skipped"]


class CaseMark(Record):
    """What `@pytest.mark.case(...)` says of a Python test."""

    group: str | None = Field(default=None, pattern=r"\S")
    critical: StrictBool = False
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TestCase:
    """A Python test as a case of a target: where it belongs, and what its marker says of it.

    A plugin such as pytest-repeat makes several tests of one case: they have its `case_id` and ids
    of their own.
    """

    target: str
    suite: Suite
    section: str
    id: str
    case_id: str
    mark: CaseMark

    @property
    def place(self) -> SectionKey:
        """Target, suite and section."""
        return self.target, self.suite.name, self.section


@dataclass(slots=True)
class OwnScore:
    """The score that a test gives itself; without one, passing is 1 and failing 0."""

    value: float | None = None
    passed: bool | None = None
    reason: str = ""

    def __call__(self, value: float, *, passed: bool | None = None, reason: str = "") -> None:
        """Give the test a score between 0 and 1; from 0.5 on it passes, unless `passed` is given.

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


@dataclass(frozen=True, slots=True)
class TestEnd:
    """How a test ended, and why."""

    ending: Ending
    reason: str = ""


def recorded(running: RunningTest, ended: TestEnd, run: str) -> RecordedCase:
    """The test as a case of the run, with its attempt and its score.

    A test that was skipped, or broken by anything but an assertion of its own, is unscored: what it
    could not find out is nothing against the target. So is one that heard an empty answer, unless
    it gave itself a score. A failed assertion stands, whatever score was given.
    """
    test, own = running.case, running.own_score
    place = {
        "key": digest_json(["pytest", run, test.suite.name, test.section, test.id]),
        "suite": test.suite.name,
        "section": test.section,
        "case": test.id,
        "repeat": 0,
    }
    messages, attempt = _last_exchange(place, running.exchanges)
    case = Case(
        id=test.id,
        group=test.mark.group or test.case_id,
        messages=messages,
        tags=test.mark.tags,
        critical=test.mark.critical,
    )
    if attempt.failure is not None:
        reason = f"{attempt.failure.cause}: {attempt.failure.detail}"
        outcome: dict[str, Any] = {"status": "failed", "reason": reason}
    elif ended.ending in ("broken", "skipped"):
        outcome = {"status": "unscored", "reason": ended.reason or "broken"}
    elif running.exchanges and attempt.state == "empty" and own.value is None:
        outcome = {"status": "unscored", "reason": attempt.emptiness}
    else:
        outcome = {"status": "scored", **_judged(own, ended)}
    marks = {"group": case.group, "critical": case.critical, "tags": case.tags}
    return RecordedCase(
        case=case,
        attempt=attempt,
        score=Score.model_validate({**place, **marks, "state": attempt.state, **outcome}),
        judge=running.judged_by,
        baseline=running.against,
        broken=ended.ending == "broken",
    )


def _judged(own: OwnScore, ended: TestEnd) -> dict[str, Any]:
    if ended.ending == "failed":
        value, passed, reason = 0.0, False, ended.reason
    elif own.value is None:
        value, passed, reason = 1.0, True, own.reason
    else:
        value, passed, reason = own.value, bool(own.passed), own.reason
    term = Term(num=value, den=1.0)
    terms = {metric.name: term for metric in METRICS}
    return {"value": value, "passed": passed, "reason": reason, "terms": terms}


def _last_exchange(
    place: Mapping[str, Any], exchanges: Sequence[Exchange]
) -> tuple[Sequence[Message], Attempt]:
    """The last conversation, or the first that failed or came to nothing, and its attempt.

    A test that sent no request has a question made from its name, and an empty answer.
    """
    if not exchanges:
        question = (Message(role="user", content=f"({place['case']} asked nothing)"),)
        return question, Attempt(**place, status="answered", text="")
    lost = [one for one in exchanges if isinstance(one[1], Failed)]
    empty = [one for one in exchanges if isinstance(one[1], Answer) and not one[1].text.strip()]
    whole, reply = next(iter([*lost, *empty]), exchanges[-1])
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
            retried=reply.retried,
        )
    return messages, Attempt(
        **place,
        status="failed",
        failure=reply.failure,
        timing=reply.timing,
        tries=reply.tries,
        retried=reply.retried,
    )


@dataclass(slots=True)
class RunningTest:
    """One run of one test: its case, its exchanges, and the score that it gives itself.

    `called` says whether its function was, `raised` what it raised, and `replaced` whether a file
    of the project's own put another function in its place.
    """

    state: SessionState
    live_targets: LiveTargets
    case: TestCase
    exchanges: list[Exchange] = field(default_factory=list)
    own_score: OwnScore = field(default_factory=OwnScore)
    judged_by: str | None = None
    against: str | None = None
    # What became of the test's function itself, which no hook of pytest's stands between.
    called: bool = False
    raised: BaseException | None = None
    replaced: bool = False

    def chat_target(self) -> ChatTarget:
        """The target under test; its exchanges are kept."""
        target = self.case.target
        live = self.live_targets.target(target)
        return ChatTarget(live, self._system_prompt(target), self.exchanges, self._before(target))

    def baseline_chat(self) -> ChatTarget:
        """The baseline.

        Raises:
            UsageError: it cannot be asked.
        """
        name, baseline = self.state.live_baseline, self.state.baseline
        if name is None:
            what = "there is no baseline" if baseline is None else f"`{baseline}` answers no more"
            raise UsageError(what, hint="name a live target with --baseline")
        live, system = self.live_targets.target(name), self._system_prompt(name)
        generation = self.state.project.generation(name)
        self.against = baseline_digest(live.identity, generation, system)
        return ChatTarget(live, system, before=self._before(name))

    def judge(self, answer: object, requirement: str) -> Opinion:
        """What the configured judge says of an answer.

        Raises:
            UsageError: none is configured.
            EvidenceError: it does not answer, or not in the form that was asked for.
        """
        project = self.state.project
        name = project.config.judge
        if name is None:
            raise UsageError(
                "no judge is configured", where=project.file, hint="name a target: `judge: NAME`"
            )
        live = self.live_targets.target(name)
        self.judged_by = judge_digest(live.identity, project.generation(name))
        return opinion(live, str(answer), requirement, self.case.suite.domain)

    def _before(self, target: str) -> Callable[[tuple[Message, ...]], tuple[Message, ...]]:
        """What puts the target's examples before a conversation, if it has any."""
        examples = examples_of(self.state.project, target)
        if examples is None:
            return lambda turns: turns
        group = self.case.mark.group or self.case.case_id
        return lambda turns: examples.put_before(turns, group, self.case.case_id)

    def _system_prompt(self, target: str) -> str | None:
        own = self.state.project.target(target).system_prompt
        return self.case.suite.system_prompt if own is None else own


# Where an item of a suite keeps its running test, for its fixtures.
RUNNING = pytest.StashKey[RunningTest]()


@pytest.fixture
def chat(request: pytest.FixtureRequest) -> Chat:
    """A conversation with the target under test: `chat("Hello")` is one turn of it."""
    return Chat(_running(request).chat_target())


@pytest.fixture
def ask_all(request: pytest.FixtureRequest) -> ChatTarget:
    """Many questions to the target at once: `ask_all(["Hello", "Good evening"])`."""
    return _running(request).chat_target()


@pytest.fixture
def base_chat(request: pytest.FixtureRequest) -> Chat:
    """A conversation with the baseline, where it is a live target."""
    return Chat(_running(request).baseline_chat())


@pytest.fixture
def judge(request: pytest.FixtureRequest) -> Callable[[object, str], Opinion]:
    """What the configuration's `judge` says: `judge(reply, "It is polite.")` is met or not.

    The answer is fenced, and the judge's reply is read strictly.
    """
    return _running(request).judge


@pytest.fixture
def score(request: pytest.FixtureRequest) -> OwnScore:
    """Give the test a score of its own: `score(0.5, reason="half of it")`."""
    return _running(request).own_score


def _running(request: pytest.FixtureRequest) -> RunningTest:
    found: RunningTest | None = request.node.stash.get(RUNNING, None)
    if found is None:
        raise pytest.UsageError(
            f"harness: `{request.fixturename}` is for the tests of a suite: name the file as "
            "`tests:` of a section in suite.yaml, and a --target"
        )
    return found
