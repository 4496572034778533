"""A conversation under way: what was said, and the results that follow from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from harness.records.attempt import UNDETERMINED, Attempt, Score, Term
from harness.records.suite import Case, Message, Suite
from harness.run.score import Scoring
from harness.sections.conversation.section import (
    SUCCESS,
    ConversationSection,
    simulated,
    turns_of,
)
from harness.sections.work import CaseResult, SectionJob

NEVER_ENDED = "never ended"


@dataclass
class Dialogue:
    """One conversation of a case and repeat; `ended` says why nothing more is asked."""

    job: SectionJob
    case: Case
    repeat: int
    said: list[Message] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)
    ended: str = ""
    broken: str = ""

    def __post_init__(self) -> None:
        first = next(at for at, turn in enumerate(self.case.messages) if turn.role == "user")
        self.said += self.case.messages[:first]

    def sent(self) -> tuple[Message, ...]:
        """The conversation so far as it is sent to the target."""
        return self.job.conversation(self.case.model_copy(update={"messages": tuple(self.said)}))

    def ask(self, text: str) -> None:
        """Add what the user says."""
        self.said.append(Message(role="user", content=text))

    def answer(self, attempt: Attempt) -> None:
        """Add what the target answers; without an answer the conversation is broken off."""
        self.attempts.append(attempt)
        number = len(self.attempts)
        if attempt.failure is not None:
            self.broken = f"turn {number} failed: {attempt.failure.cause}"
        elif not (attempt.text or "").strip():
            self.broken = f"turn {number} was answered with nothing"
        else:
            self.said.append(Message(role="assistant", content=attempt.text or ""))

    def text(self) -> str:
        """All that was said, for people."""
        names = {"system": "System", "user": "User", "assistant": "Assistant"}
        lines = [f"{names[turn.role]}: {turn.content}" for turn in self.said]
        return "\n\n".join([*lines, *filter(None, [f"({self.broken})" if self.broken else ""])])


def scripted_results(
    suite: Suite,
    section: ConversationSection,
    case: Case,
    repeat: int,
    attempts: Mapping[str, Attempt],
    text: str | None,
    broken: str = "",
) -> Iterator[CaseResult]:
    """The result of each turn whose answer is there, and with a `text` that of the conversation.

    `attempts` are by the ids of the turns' cases. A turn that was not reached, since the
    conversation is `broken` off before, has no score.
    """
    scoring, place, scores = Scoring((suite,)), (suite.name, section.name), []
    for turn in turns_of(case):
        if turn.case is None:
            continue
        attempt = attempts.get(turn.case.id)
        if attempt is None:
            if text is not None:
                yield CaseResult(turn.case, reason=f"not asked: {broken}", repeat=repeat)
            continue
        score = scoring.score_answer(place, turn.case, attempt)
        scores.append((turn.number, score))
        yield CaseResult(
            turn.case, score.value, score.passed, score.terms, score.label, score.reason, repeat,
            attempt,
        )  # fmt: skip
    if text is not None:
        yield _whole(case, repeat, scores, text, broken)


def _whole(
    case: Case, repeat: int, scores: list[tuple[int, Score]], text: str, broken: str
) -> CaseResult:
    """The result of the conversation: whether each answer is as expected."""
    lacking = next((each for each in scores if each[1].value is None), None)
    if lacking is not None or broken:
        number, score = lacking or (0, None)
        reason = f"turn {number}: {score.reason}" if score is not None else broken
        label = score.label if score is not None and score.label == UNDETERMINED else ""
        return CaseResult(case, label=label, reason=reason, repeat=repeat, text=text)
    wrong = [f"turn {number}" for number, score in scores if not score.passed]
    reason = f"not as expected: {', '.join(wrong)}" if wrong else "all turns as expected"
    return _result(
        case, repeat, not wrong, f"{len(scores) - len(wrong)} of {len(scores)}", reason, text
    )


def simulated_result(dialogue: Dialogue) -> CaseResult:
    """The result of a conversation with a simulated user: whether any answer is as expected."""
    case, text = dialogue.case, dialogue.text()
    if dialogue.broken:
        return CaseResult(case, reason=dialogue.broken, repeat=dialogue.repeat, text=text)
    expected, scoring = simulated(case)[1], Scoring((dialogue.job.suite,))
    scores = [scoring.score_answer(dialogue.job.place, expected, one) for one in dialogue.attempts]
    passed = next((at for at, score in enumerate(scores, 1) if score.passed), None)
    if passed is None and any(score.value is None for score in scores):
        last = next(score for score in scores if score.value is None)
        return CaseResult(
            case, label=last.label, reason=last.reason, repeat=dialogue.repeat, text=text
        )
    reason = f"as expected in turn {passed}" if passed else "no answer is as expected"
    label = f"{dialogue.ended} after {len(scores)}"
    return _result(case, dialogue.repeat, passed is not None, label, reason, text)


def _result(
    case: Case, repeat: int, passed: bool, label: str, reason: str, text: str
) -> CaseResult:
    terms = {SUCCESS.name: Term(num=float(passed), den=1.0)}
    return CaseResult(case, float(passed), passed, terms, label, reason, repeat, text=text)
