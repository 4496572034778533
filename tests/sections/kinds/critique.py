"""`critique`: asks in two rounds; in the second, another target grades the answers to the first."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from harness.records.base import Record
from harness.records.metric import Metric
from harness.records.suite import Message, Section
from harness.sections.work import CaseResult, SectionRequest, SectionWork
from harness.suites import LoadedSection, SectionSource

BEST = 4


class CritiqueKeys(Record):
    """The questions, and the target that grades."""

    questions: str
    critic: str = Field(min_length=1)


class CritiqueSection(Section):
    """Questions whose answers a critic grades from 0 to 4."""

    kind: ClassVar[str] = "critique"

    critic: str


class CritiqueKind:
    """Grades of a critic, with no word on which are good enough."""

    name = "critique"
    key = "questions"
    keys = CritiqueKeys
    needs_baseline = False

    def load(self, source: SectionSource) -> LoadedSection:
        """The section with its questions."""
        keys = source.read(CritiqueKeys)
        cases, digest = source.cases(keys.questions, key="questions")
        section = source.build(
            CritiqueSection,
            scorer=f"critic {keys.critic}",
            metrics=(Metric(name="quality"),),
            cases=cases,
            critic=keys.critic,
        )
        return LoadedSection(section, [keys.critic, digest], files=(keys.questions,))

    def run(self, work: SectionWork) -> None:
        """Ask every target, then the critic about all of their answers."""
        first = [
            SectionRequest(job, case, job.conversation(case), repeat)
            for job in work.jobs
            for case in job.cases
            for repeat in range(job.repeats)
        ]
        answers = work.ask(first)
        second = [
            SectionRequest(
                asked.job,
                asked.case,
                (Message(role="user", content=f"Grade from 0 to {BEST}: {answer.text}"),),
                asked.repeat,
                to=asked.job.section.critic,
                sampling={"max_tokens": 4},
            )
            for asked, answer in zip(first, answers, strict=True)
            if answer.state == "ok"
        ]
        replies = iter(zip(second, work.ask(second), strict=True))
        results: dict[int, list[CaseResult]] = {id(job): [] for job in work.jobs}
        for asked, answer in zip(first, answers, strict=True):
            if answer.state != "ok":
                found = CaseResult(asked.case, reason=answer.state, attempt=answer)
            else:
                _, reply = next(replies)
                text = (reply.text or "").strip()
                value = int(text) / BEST if text.isdigit() else None
                found = CaseResult(
                    asked.case, value, reason=f"grade {text}", repeat=asked.repeat, attempt=answer
                )
            results[id(asked.job)].append(found)
        for job in work.jobs:
            work.keep(job, results[id(job)])
