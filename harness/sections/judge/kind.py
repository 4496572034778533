"""`judge`: cases from a file whose answers other targets judge by a rubric, alone or in pairs."""

from __future__ import annotations

from collections import defaultdict
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, field_validator

from harness.errors import SuiteError
from harness.records.base import Record
from harness.records.metric import Metric
from harness.records.suite import Case, Title, titles_of
from harness.sections.judge.ask import Asked, Sent, panel_of, questions, rivals_of
from harness.sections.judge.prompt import TEMPLATES, JudgeRubric, Structured
from harness.sections.judge.reply import read_vote
from harness.sections.judge.result import Heard, Judged
from harness.sections.judge.section import JUDGED, NAME, JudgeExpect, JudgeSection
from harness.sections.work import CaseResult, SectionRequest, SectionWork
from harness.suites.source import LoadedSection, SectionSource


def _listed(given: object) -> object:
    return (given,) if isinstance(given, str) else given


class JudgeKeys(Record):
    """The keys of a section whose answers a judge judges, or a jury of several."""

    cases: str = Field(min_length=1)
    scorer: Literal["judge"]
    judge: Annotated[
        tuple[Annotated[str, Field(min_length=1)], ...],
        BeforeValidator(_listed, json_schema_input_type=str | list[str]),
        Field(min_length=1),
    ]
    rubric: JudgeRubric
    mode: Literal["pointwise", "pairwise"] = "pointwise"
    # How often each judge is asked about the same answer.
    judge_repeats: int = Field(default=1, ge=1, le=9)
    # How the server keeps a judge to the form of its reply; without it a schema on managed servers.
    structured: Structured | None = None
    title: Title | dict[str, Title] | None = None
    lint_ignore: tuple[str, ...] = ()

    @field_validator("judge")
    @classmethod
    def _each_once(cls, judges: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(judges)) < len(judges):
            raise ValueError("names a judge twice; `judge_repeats` asks one more often")
        return judges


class JudgeKind:
    """Reads sections that are judged, and asks the target, then its judges."""

    name = NAME
    key = NAME
    keys = JudgeKeys
    needs_baseline = False

    def load(self, source: SectionSource) -> LoadedSection:
        """The section with its cases.

        Raises:
            SuiteError: one line that names file and key.
        """
        keys = source.read(JudgeKeys)
        pairwise, rubric = keys.mode == "pairwise", keys.rubric
        if pairwise and rubric.scale is not None:
            raise SuiteError(
                "rubric.scale: two answers are compared by the criterion alone",
                where=source.place("rubric", "scale"),
                hint="take `scale` out, or write `mode: pointwise`",
            )
        metric = _metric(rubric, pairwise=pairwise)
        cases, digest = source.cases(keys.cases, _check_case)
        section = source.build(
            JudgeSection,
            scorer=f"judge {', '.join(keys.judge)}",
            metrics=(metric,),
            cases=cases,
            cases_file=keys.cases,
            asks=keys.judge,
            against_baseline=pairwise,
            rubric=rubric,
            judge_repeats=keys.judge_repeats,
            structured=keys.structured,
            titles=titles_of(keys.title, (metric,)),
            lint_ignore=keys.lint_ignore,
        )
        written = keys.model_dump(mode="json", exclude={"cases", "title", "lint_ignore"})
        part = [written, TEMPLATES, digest]
        return LoadedSection(section, part, files=(keys.cases,))

    def run(self, work: SectionWork) -> None:
        """Ask every target, then the judges about all of their answers.

        Raises:
            SuiteError: a candidate is its own judge.
        """
        panels = {id(job): panel_of(work, job) for job in work.jobs}
        sent: list[Sent] = [
            (job, case, repeat)
            for job in work.jobs
            for case in job.cases
            for repeat in range(job.repeats)
        ]
        answers = work.ask(
            [
                SectionRequest(job, case, job.conversation(case), repeat)
                for job, case, repeat in sent
            ]
        )
        rivals = rivals_of(work, sent)
        asked: list[Asked] = []
        for place, (one, answer) in enumerate(zip(sent, answers, strict=True)):
            rival = rivals.get(place)
            if answer.state in JUDGED:
                asked += questions(work.project, place, one, answer, rival)
        replies = work.ask([each.request for each in asked])
        votes: defaultdict[int, list[Heard]] = defaultdict(list)
        for each, reply in zip(asked, replies, strict=True):
            votes[each.place].append(Heard(each, read_vote(reply, each.verdicts)))
        results: defaultdict[int, list[CaseResult]] = defaultdict(list)
        for place, (one, answer) in enumerate(zip(sent, answers, strict=True)):
            judged = Judged(one, answer, rivals.get(place), votes[place], panels[id(one[0])])
            results[id(one[0])].append(judged.result(work))
        for job in work.jobs:
            work.keep(job, results[id(job)])


def _metric(rubric: JudgeRubric, *, pairwise: bool) -> Metric:
    if pairwise:
        return Metric(name="win_rate", needs_audit=True)
    if rubric.scale is None:
        return Metric(name="pass_rate", needs_audit=True)
    low, high = min(rubric.scale), max(rubric.scale)
    return Metric(name="score", unit="level", low=low, high=high, needs_audit=True)


def _check_case(case: Case, place: str) -> None:
    try:
        JudgeExpect.model_validate(case.expect)
    except ValueError:
        what = "expect: a judge reads `reference`, a text, and nothing else"
        raise SuiteError(what, where=place) from None
    if case.critical:
        raise SuiteError(
            "critical: a model's opinion guards no critical case",
            where=place,
            hint="score it by a rule, in a section with another scorer",
        )
