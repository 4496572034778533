"""`conversation`: cases of several user turns, each answered by the target itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from harness.errors import SuiteError
from harness.records.attempt import Attempt
from harness.records.base import explain
from harness.records.suite import Case, Section, Suite
from harness.sections.conversation.dialogue import (
    NEVER_ENDED,
    Dialogue,
    scripted_results,
    simulated_result,
)
from harness.sections.conversation.section import (
    MARK,
    NAME,
    SUCCESS,
    TURNS,
    USER,
    ConversationSection,
    SimulatedUser,
    judged,
    simulated,
    turns_of,
)
from harness.sections.conversation.user import next_message, prompt
from harness.sections.evidence import SCORER
from harness.sections.prompts import PromptsKeys, PromptsKind, PromptsSection, titles_in
from harness.sections.work import CaseResult, SectionJob, SectionRequest, SectionWork
from harness.suites.source import LoadedSection, SectionSource
from harness.yaml_files import model_schema


class ConversationKeys(PromptsKeys):
    """The keys of a section of conversations; all others are settings of its scorer."""

    user: SimulatedUser | None = None


class _Turns(PromptsKind):
    """Reads the cases with the scorer, which is to judge their turns."""

    def __init__(self, user: SimulatedUser | None) -> None:
        super().__init__()
        self._user = user

    def judged(self, case: Case) -> list[Case]:
        """The answers that the scorer judges, as cases.

        Raises:
            ValueError: the case is no conversation of this section.
        """
        if MARK in case.id:
            raise ValueError(f"the id holds `{MARK}`, which marks turns")
        if self._user is not None:
            if TURNS in case.expect:
                raise ValueError("has `turns`, and the section's `user` writes them")
            try:
                return [simulated(case)[1]]
            except ValidationError as error:
                raise ValueError(f"user.{explain(error)}") from None
        if TURNS not in case.expect:
            raise ValueError("must have `turns`, the user's messages with what is expected")
        found = judged(case)
        if not found:
            raise ValueError("turns: nothing is expected after any of them")
        return found


class ConversationKind:
    """Reads sections of conversations, and has each of them with every target."""

    name = NAME
    key = USER
    claims = (USER,)
    keys = ConversationKeys
    needs_baseline = False

    def schemas(self) -> list[dict[str, Any]]:
        """The JSON schema of a section for each scorer that is installed."""
        own = model_schema(ConversationKeys, f"{NAME}.")
        keys = {key: own["properties"][key] for key in (USER, "metrics")}
        return [
            {
                **part,
                "title": f"{part['title']} as conversations",
                "properties": {**part["properties"], **keys},
                "anyOf": [{"required": ["kind"]}, {"required": [USER]}],
                "$defs": {**part.get("$defs", {}), **own.get("$defs", {})},
            }
            for part in PromptsKind().schemas()
        ]

    def load(self, source: SectionSource) -> LoadedSection:
        """The section, each turn of its cases checked by the scorer.

        Raises:
            SuiteError: one line that names file and key, or file and line.
        """
        keys = source.read(ConversationKeys, rest=True)
        scripted = keys.user is None
        own = SUCCESS.name
        wanted = None if keys.metrics is None else [name for name in keys.metrics if name != own]
        written = {
            key: value
            for key, value in source.written.items()
            if key not in (USER, "metrics", "title")
        }
        if wanted:
            written["metrics"] = wanted
        loaded = _Turns(keys.user).load(replace(source, written=written))
        section = loaded.section
        assert isinstance(section, PromptsSection)
        first = section.metrics[0]
        if (first.low, first.high, first.lower_is_better) != (0.0, 1.0, False):
            raise SuiteError(
                f"scorer: a conversation is right or wrong, and `{keys.scorer}` gives {first.name}",
                where=source.place("scorer"),
            )
        metrics = section.metrics if scripted and wanted != [] else ()
        if keys.metrics is None or own in keys.metrics or not scripted:
            metrics = (*metrics, SUCCESS)
        fields = {name: getattr(section, name) for name in PromptsSection.model_fields}
        fields |= {"metrics": metrics, "titles": titles_in(source, keys.title, metrics)}
        asks = () if keys.user is None else (keys.user.target,)
        conversations = ConversationSection(**fields | {"asks": asks}, user=keys.user)
        user = None if keys.user is None else keys.user.model_dump()
        part = {**loaded.digest, "metrics": [one.model_dump() for one in metrics], USER: user}
        return LoadedSection(conversations, part, group="conversations", files=loaded.files)

    def run(self, work: SectionWork) -> None:
        """Have every conversation with every target, turn by turn, and score the answers."""
        dialogues = [
            Dialogue(job, case, repeat)
            for job in work.jobs
            for case in job.cases
            for repeat in range(job.repeats)
        ]
        turn = 0
        while rest := [one for one in dialogues if not one.ended and not one.broken]:
            turn += 1
            _let_users_speak(work, rest, turn)
            asked = [one for one in rest if not one.ended and not one.broken]
            requests = [
                SectionRequest(one.job, _part(one, turn), one.sent(), one.repeat) for one in asked
            ]
            for dialogue, attempt in zip(asked, work.ask(requests) if asked else (), strict=True):
                dialogue.answer(attempt)
        for job in work.jobs:
            own = [one for one in dialogues if one.job is job]
            work.rests_on(job, f"{SCORER}{job.section.scorer}")
            work.keep(job, [result for one in own for result in _results(one)])

    def results_again(
        self, suite: Suite, section: Section, attempts: Mapping[tuple[str, int], Attempt]
    ) -> Iterator[CaseResult]:
        """The results that follow from stored answers, each by its case's id and repeat.

        What a simulated user was told cannot be told from its conversation, so it has none.
        """
        assert isinstance(section, ConversationSection)
        if section.user is not None:
            return
        for case in section.cases:
            for repeat in sorted({repeat for _, repeat in attempts}):
                own = {
                    turn.id: attempts[turn.id, repeat]
                    for turn in judged(case)
                    if (turn.id, repeat) in attempts
                }
                whole = attempts.get((case.id, repeat))
                reached = len(own) == len(judged(case))
                text = whole.text if whole is not None and reached else None
                yield from scripted_results(suite, section, case, repeat, own, text)


def _section(job: SectionJob) -> ConversationSection:
    assert isinstance(job.section, ConversationSection)
    return job.section


def _part(dialogue: Dialogue, turn: int) -> Case:
    """The turn as the case of its request."""
    number = f"{dialogue.case.id}{MARK}{turn}"
    return dialogue.case.model_copy(update={"id": number, "messages": tuple(dialogue.said)})


def _let_users_speak(work: SectionWork, dialogues: list[Dialogue], turn: int) -> None:
    """Add the user's message of this turn to each conversation, or end it."""
    simulators: list[Dialogue] = []
    for one in dialogues:
        user = _section(one.job).user
        if user is None:
            turns = turns_of(one.case)
            if turn > len(turns):
                one.ended = "all asked"
            else:
                one.ask(turns[turn - 1].asked)
        elif turn == 1:
            one.ask(one.case.messages[-1].content)
        elif turn > user.max_turns:
            one.ended = NEVER_ENDED
        else:
            simulators.append(one)
    requests = [
        SectionRequest(
            one.job,
            _part(one, turn),
            prompt(simulated(one.case)[0], one.said),
            one.repeat,
            to=_user(one).target,
        )
        for one in simulators
    ]
    for one, attempt in zip(simulators, work.ask(requests) if requests else (), strict=True):
        if attempt.failure is not None:
            one.broken = f"the simulated user failed: {attempt.failure.cause}"
        elif text := next_message(attempt.text or ""):
            one.ask(text)
        elif attempt.text:
            one.ended = "ended"
        else:
            one.broken = "the simulated user said nothing"


def _user(dialogue: Dialogue) -> SimulatedUser:
    user = _section(dialogue.job).user
    assert user is not None
    return user


def _results(dialogue: Dialogue) -> Iterator[CaseResult]:
    section = _section(dialogue.job)
    if section.user is not None:
        yield simulated_result(dialogue)
        return
    answers = {
        turn.case.id: attempt
        for turn, attempt in zip(turns_of(dialogue.case), dialogue.attempts, strict=False)
        if turn.case is not None
    }
    yield from scripted_results(
        dialogue.job.suite,
        section,
        dialogue.case,
        dialogue.repeat,
        answers,
        dialogue.text(),
        dialogue.broken,
    )
