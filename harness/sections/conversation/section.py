"""A section of conversations, and the turns of one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from pydantic import Field

from harness.records.attempt import Term
from harness.records.base import Record
from harness.records.metric import Metric
from harness.records.suite import Case
from harness.scorers import Judgement
from harness.sections.prompts import PromptsSection
from harness.validation import KeyProblem

NAME = "conversation"
# Between a case's id and the number of a turn; no id of such a section holds it.
MARK = "~"
# The share of conversations in which everything that is expected came.
SUCCESS = Metric(name="success")
TURNS, USER = "turns", "user"


class SimulatedUser(Record):
    """Who plays the user: a target, and how often it may write at most."""

    target: str = Field(min_length=1)
    max_turns: int = Field(default=6, ge=1, le=50)


class Role(Record):
    """Whom a simulated user plays, and what they want."""

    persona: str = Field(min_length=1)
    goal: str = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of a scripted conversation, as a case of its own where an answer is expected."""

    number: int
    asked: str
    case: Case | None


class ConversationSection(PromptsSection):
    """Conversations whose answers one scorer scores, each turn by what is expected there."""

    kind: ClassVar[str] = NAME
    one_request: ClassVar[bool] = False

    user: SimulatedUser | None = None

    @property
    def scores_answers(self) -> bool:
        """Its cases are prompts like those of any section with a scorer."""
        return True

    def judge(self, answer: str, case: Case) -> object:
        """The scorer's judgement; of a whole conversation, were each of its answers this one."""
        turns = judged(case)
        if not turns:
            return super().judge(answer, simulated(case)[1] if USER in case.expect else case)
        found = [super(ConversationSection, self).judge(answer, turn) for turn in turns]
        judgements = [one for one in found if isinstance(one, Judgement)]
        if len(judgements) < len(found):
            return next(one for one in found if not isinstance(one, Judgement))
        passed = all(one.passed for one in judgements)
        terms = {name: term for one in judgements for name, term in one.terms.items()}
        terms[SUCCESS.name] = Term(num=float(passed), den=1.0)
        return Judgement(float(passed), passed, terms)

    def remarks(self, case: Case) -> Iterable[tuple[str, str]]:
        """What the scorer has to say of each turn."""
        parts = judged(case) or [simulated(case)[1] if USER in case.expect else case]
        return (
            remark for part in parts for remark in super(ConversationSection, self).remarks(part)
        )

    def section_remarks(self) -> Iterable[tuple[str, str]]:
        """Nothing: what a scorer says of cases together is about single answers."""
        return ()

    def describe(self) -> str:
        """What is in the section, and who has the conversations."""
        who = f", the user played by `{self.user.target}`" if self.user else ""
        return f"{super().describe()}, turn by turn{who}"


def turns_of(case: Case) -> Sequence[Turn]:
    """The turns of a scripted conversation; none where a model plays the user."""
    expected = case.expect.get(TURNS)
    return tuple(_turns(case, expected)) if isinstance(expected, list) else ()


def judged(case: Case) -> list[Case]:
    """The turns after which an answer is expected, each as a case."""
    return [turn.case for turn in turns_of(case) if turn.case is not None]


def _turns(case: Case, expected: Sequence[Any]) -> Iterator[Turn]:
    users = [place for place, turn in enumerate(case.messages) if turn.role == "user"]
    for number, (place, expect) in enumerate(zip(users, expected, strict=True), 1):
        own = None
        if expect is not None:
            # What the model will have said stands nowhere here, so that both sides have one case.
            update = {
                "id": f"{case.id}{MARK}{number}",
                "messages": case.messages[: place + 1],
                "expect": expect,
                "critical": False,  # the conversation is watched as a whole
            }
            own = case.model_copy(update=update)
        yield Turn(number, case.messages[place].content, own)


def simulated(case: Case) -> tuple[Role, Case]:
    """Whom the user's model plays, and the case with what is expected of the answers alone.

    Raises:
        ValueError: nothing says whom.
    """
    given = case.expect.get(USER)
    if not isinstance(given, dict):
        raise KeyProblem("must say who the user is: `persona` and `goal`", USER)
    role = Role.model_validate(given)
    rest = {key: value for key, value in case.expect.items() if key != USER}
    return role, case.model_copy(update={"expect": rest})
