"""The work of a kind of section: its jobs, how it sends requests, and where results go."""

from __future__ import annotations

import json
import secrets
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.config import Project
from harness.errors import SuiteError
from harness.event_loop import run_async
from harness.files import canonical_json, digest_json
from harness.records.attempt import Attempt, Term
from harness.records.plan import Plan, PlannedRequest, conversation
from harness.records.recording import RecordedCase, RecordedSection, Recording
from harness.records.run import RunHeader, RunRecord, Watcher
from harness.records.suite import Case, Message, Section, Suite
from harness.records.target import Generation
from harness.run.engine import finish_jobs
from harness.run.plan import Selection, plan_requests
from harness.run.ray_cluster import RayCluster
from harness.run.resume import Reuse, resume
from harness.run.score import check_bounds, score_of
from harness.sections.evidence import TARGET, Grounds, settled, target_digest
from harness.storage import RunFolder
from harness.targets.identity import identify
from harness.targets.models import fetch_models


@dataclass(frozen=True, slots=True)
class SectionJob:
    """One section to run for one target: its cases, and the header of the run it belongs to."""

    run: RunHeader
    generation: Generation
    suite: Suite
    section: Section
    cases: Sequence[Case]

    @property
    def target(self) -> str:
        """The target under test."""
        return self.run.target

    @property
    def place(self) -> tuple[str, str]:
        """Suite and section."""
        return self.suite.name, self.section.name

    @property
    def repeats(self) -> int:
        """How often each case is asked."""
        return self.generation.repeats

    def conversation(self, case: Case) -> tuple[Message, ...]:
        """The case's messages as they are sent to the target under test."""
        return conversation(case, self.run.system_prompts.get(self.suite.name))


@dataclass(frozen=True, slots=True)
class SectionRequest:
    """A request about a case: to the target under test, or to the one that `to` names.

    `sampling` stands in place of the settings of whoever is asked.
    """

    job: SectionJob
    case: Case
    messages: tuple[Message, ...]
    repeat: int = 0
    to: str | None = None
    sampling: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CaseResult:
    """The result of a case: a value, or the reason why there is none.

    The `attempt` is the answer that was scored, None where the target was not asked by request;
    `text` then takes its place. `passed` is None where no value is good enough by itself.
    Without `terms`, the value is the case's part in each metric of the section. `judge` is the
    digest of what judged the answer, and `baseline` that of the baseline that it was held against.
    A `broken` case may get a value in another attempt.
    """

    case: Case
    value: float | None = None
    passed: bool | None = None
    terms: Mapping[str, Term] | None = None
    label: str = ""
    reason: str = ""
    repeat: int = 0
    attempt: Attempt | None = None
    text: str = ""
    judge: str | None = None
    baseline: str | None = None
    broken: bool = False


@dataclass(frozen=True, slots=True)
class GateSide:
    """What a section gets in addition when a gate runs it.

    `suites` are those it judges, and `log` is a name for the files of its work. A `sealed` baseline
    has its answers in its run.
    """

    baseline: str
    suites: tuple[Suite, ...]
    log: str
    sealed: RunRecord | None = None


@dataclass
class SectionWork:
    """The sections of one kind that lack results, with what it takes to get them.

    `gate` is None outside of a gate. Where stored answers are not to be reused, `asked_anew` are
    the targets that this command has already asked again.
    """

    project: Project
    jobs: Sequence[SectionJob]
    watcher: Watcher
    selection: Selection
    now: Grounds
    gate: GateSide | None = None
    reuse: Reuse = "stored"
    cluster: RayCluster | None = None
    asked_anew: set[str] = field(default_factory=set)
    session: str = field(default_factory=lambda: secrets.token_hex(8))
    # Of each run and section, the digests of what its results rest on, such as targets it asked.
    _rests_on: defaultdict[tuple[str, tuple[str, str]], dict[str, str]] = field(
        default_factory=lambda: defaultdict(dict)
    )

    def ask(self, requests: Sequence[SectionRequest]) -> list[Attempt]:
        """The attempt of each request, in their order; all are sent concurrently.

        Answers are journalled, reused, resumed, retried and counted as cost like those of a
        run are: those to one target are a run of that target. A request that failed is an attempt
        that says so.

        Raises:
            UsageError: there is no such target, or a value of `sampling` is out of range.
            ServerError: a server cannot be started or reached, or is gone for good.
        """
        groups: defaultdict[tuple[str, str, str], list[SectionRequest]] = defaultdict(list)
        for request in requests:
            about = request.job.run
            sampling = canonical_json(dict(request.sampling))
            groups[about.run_id, request.to or about.target, sampling].append(request)
        jobs = []
        for (_, to, sampling), some in groups.items():
            planned = self._plan(to, json.loads(sampling), some)
            if to != some[0].job.target:
                self._note(some, to)
            jobs.append(
                resume(self.project, planned, "stored" if to in self.asked_anew else self.reuse)
            )
        self.asked_anew |= {to for _, to, _ in groups}
        finish_jobs(self.project, jobs, (), self.watcher, cluster=self.cluster)
        found: dict[int, Attempt] = {}
        for job, some in zip(jobs, groups.values(), strict=True):
            attempts = job.folder.attempts()
            for request, ask in zip(some, job.plan.requests, strict=True):
                found[id(request)] = attempts[ask.key]
        return [found[id(request)] for request in requests]

    def keep(
        self,
        job: SectionJob,
        results: Sequence[CaseResult],
        agreement: Mapping[str, float] | None = None,
    ) -> None:
        """Keep the results of a section, which are those of all its cases.

        `agreement` says by metric how far the people agree who judged them.

        Raises:
            SuiteError: a value or a term is out of its metric's bounds, or there is no result.
            StorageError: the run's folder cannot be written.
        """
        if not results:
            raise SuiteError("no case came to a result", where=".".join(job.place))
        section = RecordedSection(
            suite=job.suite.name,
            section=job.section.name,
            metrics=job.section.metrics,
            cases=tuple(
                recorded_case(job.run.run_id, job.suite.name, job.section, result)
                for result in results
            ),
            session=self.session,
            rests_on=dict(self._rests_on[job.run.run_id, job.place]),
            scorer=job.section.scorer,
            agreement=dict(agreement or {}),
        )
        folder = RunFolder(self.project.runs / job.run.run_id)
        folder.record(Recording(freshness=job.run.freshness, sections=(section,)))

    def rests_on(self, job: SectionJob, name: str) -> None:
        """Keep with a job's results what they rest on, under a name that `Grounds` knows."""
        self._rests_on[job.run.run_id, job.place][name] = self.now.digest(name) or ""

    def settled(self, job: SectionJob, before: Collection[str] | None = None) -> bool:
        """Whether valid results of the job are stored.

        Where the sessions `before` its work are given, those of others count whatever they are.
        """
        recording = RunFolder(self.project.runs / job.run.run_id).recording()
        return job.place in settled(recording, job.run.freshness, self.now, before)

    def _plan(self, to: str, sampling: dict[str, Any], some: Sequence[SectionRequest]) -> Plan:
        job = some[0].job
        own = to == job.target
        if not own:
            fetch_models(self.project, [to], self.watcher)
        identity = job.run.identity if own else run_async(identify(self.project, to))
        settings = job.generation if own else self.project.generation(to)
        generation = Generation(**{**settings.model_dump(), **sampling})
        seed = generation.seed
        asks = [
            PlannedRequest(
                "", *one.job.place, one.case, one.repeat, one.messages, seed + one.repeat
            )
            for one in some
        ]
        return plan_requests(job.run, to, identity, generation, asks)

    def _note(self, some: Sequence[SectionRequest], to: str) -> None:
        digest = target_digest(self.project, to)
        for request in some:
            job = request.job
            self._rests_on[job.run.run_id, job.place][f"{TARGET}{to}"] = digest


def recorded_case(run_id: str, suite: str, section: Section, result: CaseResult) -> RecordedCase:
    """A result as it is kept with a run.

    Raises:
        SuiteError: a value or a term is out of its metric's bounds.
    """
    case, attempt, value = result.case, result.attempt, result.value
    if attempt is None:
        key = digest_json([section.kind, run_id, suite, section.name, case.id, result.repeat])
        attempt = Attempt(
            key=key,
            suite=suite,
            section=section.name,
            case=case.id,
            repeat=result.repeat,
            status="answered",
            text=result.text or ("" if value is None else f"{value:g}"),
        )
    outcome: dict[str, Any] = {"label": result.label, "reason": result.reason}
    if value is None:
        outcome |= {"status": "unscored", "reason": result.reason or "no value"}
    else:
        whole = Term(num=value, den=1.0)
        terms = {metric.name: whole for metric in section.metrics}
        outcome |= {"status": "scored", "value": value, "passed": result.passed}
        outcome["terms"] = terms if result.terms is None else dict(result.terms)
    score = score_of(case, attempt, outcome)
    try:
        check_bounds(score, section.metrics)
    except ValueError as error:
        raise SuiteError(str(error), where=f"{suite}.{section.name}: {case.id}") from None
    return RecordedCase(
        case=case,
        attempt=attempt,
        score=score,
        judge=result.judge,
        baseline=result.baseline,
        broken=result.broken,
    )
