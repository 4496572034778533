"""Evaluate suites on targets, for every kind of section."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from harness.config import Project
from harness.errors import EvidenceError
from harness.records.run import RunRecord, Watcher
from harness.records.suite import Section, Suite
from harness.records.target import Generation
from harness.run.engine import run
from harness.run.plan import Selection, selected_cases
from harness.run.ray_cluster import RayCluster
from harness.run.resume import Reuse
from harness.sections.evidence import Grounds, counted, doubt, grounds, settled
from harness.sections.section_kinds import SectionRunner, kinds
from harness.sections.work import GateSide, SectionJob, SectionWork
from harness.storage import RunFolder
from harness.storage.mirror import Mirror
from harness.targets.connection import keep_servers
from harness.targets.models import fetch_models

Selections = Selection | Mapping[str, Selection] | None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What to evaluate, which stored answers to reuse, and which workers send the requests."""

    project: Project
    suites: tuple[Suite, ...]
    watcher: Watcher
    selection: Selections = None
    reuse: Reuse = "stored"
    cluster: RayCluster | None = None

    def part(self, target: str) -> Selection:
        """The part of the suites that the target is asked."""
        chosen = self.selection
        if isinstance(chosen, Mapping):
            return chosen[target]
        return chosen or Selection()

    def run(self, targets: Sequence[str]) -> dict[str, RunRecord]:
        """The finished runs of the targets by name, with the results of all their sections.

        Sections that need a baseline as well are left to a gate.

        Raises:
            UsageError: a target, model or adapter does not exist.
            EvidenceError: a section came to no results.
            InfrastructureError: a server or a model's hub cannot be reached, or is gone for good.
            AdapterNotApplied: a candidate's adapter has no effect on the answers.
        """
        fetch_models(self.project, targets, self.watcher)
        with keep_servers(targets):
            runs = run(
                *(self.project, targets, self.suites, self.watcher, self.selection),
                reuse=self.reuse,
                cluster=self.cluster,
            )
            return with_results(self, runs, None, grounds(self.project, None))


def with_results(
    asked: Evaluation, runs: Mapping[str, RunRecord], gate: GateSide | None, now: Grounds
) -> dict[str, RunRecord]:
    """The runs with the results of sections that are more than one request a case.

    They are run now where a run lacks them; `gate` is None where no baseline is at hand.

    Raises:
        EvidenceError: a section came to no results.
        HarnessError: whatever stops a section's work.
    """
    found, anew = dict(runs), set(runs)
    for kind, sections in _runners(asked.suites, in_gate=gate is not None):
        jobs = [job for run in runs.values() for job in _lacking(asked, run, sections, now)]
        if jobs:
            work = SectionWork(
                project=asked.project,
                jobs=jobs,
                watcher=asked.watcher,
                selection=asked.part(jobs[0].target),
                now=now,
                gate=gate,
                reuse=asked.reuse,
                cluster=asked.cluster,
                asked_anew=anew,
            )
            kind.run(work)
            _check_complete(work)
            found |= _read_again(asked, jobs)
    return found


def _runners(
    suites: Sequence[Suite], *, in_gate: bool | None = None
) -> Iterator[tuple[SectionRunner, list[tuple[Suite, Section]]]]:
    """The kinds of section that the suites have and that are run, with the sections of each.

    Outside of a gate without those that need a baseline, and only those where that is not said.
    """
    for name in kinds().names():
        sections = [
            (suite, section) for suite in suites for section in suite.worked if section.kind == name
        ]
        kind = kinds().get(name) if sections else None
        if isinstance(kind, SectionRunner):
            needs = kind.needs_baseline
            if not in_gate:
                sections = [
                    (suite, section)
                    for suite, section in sections
                    if (needs or section.against_baseline) is (in_gate is None)
                ]
            yield kind, sections


def left_out(asked: Evaluation, runs: Mapping[str, RunRecord]) -> dict[str, list[str]]:
    """What each target's run has no results of, because only a gate makes them, in words."""
    now = grounds(asked.project, None)
    found: dict[str, list[str]] = {}
    for _, sections in _runners(asked.suites):
        for target, known in runs.items():
            for job in _lacking(asked, known, sections, now):
                what, _ = job.section.missing(".".join(job.place))
                found.setdefault(target, []).append(what)
    return found


def _lacking(
    asked: Evaluation, run: RunRecord, sections: Sequence[tuple[Suite, Section]], now: Grounds
) -> list[SectionJob]:
    """The sections for which a target's run has no valid results."""
    header, selection = run.header, asked.part(run.header.target)
    folder = RunFolder(asked.project.runs / header.run_id)
    known = settled(folder.recording(), header.freshness, now)
    generation = Generation.model_validate(header.generation)
    if selection.concurrency is not None:
        generation = generation.model_copy(update={"concurrency": selection.concurrency})
    lapsed = {**run.unrecorded, **{each.place: doubt(each, now) for each in run.taken}}
    jobs = []
    for suite, section in sections:
        cases = selected_cases(suite, section, selection)
        place = suite.name, section.name
        if place not in known and (cases or not section.cases):
            if why := lapsed.get(place):
                what, _ = section.missing(".".join(place))
                asked.watcher.say(f"{header.target}: the results of {what} count no more: {why}")
            jobs.append(SectionJob(header, generation, suite, section, cases))
    return jobs


def report_unfinished(
    project: Project,
    suites: Sequence[Suite],
    runs: Mapping[str, RunRecord],
    now: Grounds,
    watcher: Watcher,
) -> None:
    """Report the sections whose newest session did not finish, so that an older one is used."""
    sections = {(suite.name, one.name): one for suite in suites for one in suite.worked}
    for name, found in runs.items():
        recording = RunFolder(project.runs / found.header.run_id).recording()
        if recording is None or recording.freshness != found.header.freshness:
            continue
        held = {section.place for section in counted(found, now).taken}
        for place in sorted(held & recording.unfinished & sections.keys()):
            what, _ = sections[place].missing(".".join(place))
            watcher.say(
                f"{name}: {what} were started again since and did not "
                "finish; what was recorded before counts"
            )


def _check_complete(work: SectionWork) -> None:
    """Refuse work that left a section without results."""
    for job in work.jobs:
        if not job.section.optional and not work.settled(job, ()):
            what, _ = job.section.missing(".".join(job.place))
            raise EvidenceError(f"`{job.target}` has no scores of {what}")


def _read_again(asked: Evaluation, jobs: Sequence[SectionJob]) -> dict[str, RunRecord]:
    """The runs of the jobs, read again from disk and uploaded to the mirror."""
    mirror = Mirror.open(asked.project.runs_url, asked.watcher.say)
    found = {}
    for job in jobs:
        folder = RunFolder(asked.project.runs / job.run.run_id)
        if job.target not in found:
            mirror.finish(folder.path)
            found[job.target] = folder.load()
    return found
