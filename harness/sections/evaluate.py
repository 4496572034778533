"""Evaluate suites on targets, for every kind of section."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.config import Project
from harness.errors import EvidenceError
from harness.records.plan import Plan, RequestList
from harness.records.run import Run, RunHeader, Watcher
from harness.records.suite import Section, Suite
from harness.records.target import Generation
from harness.run.engine import run
from harness.run.plan import Selection, selected_cases
from harness.run.ray_cluster import RayCluster
from harness.run.resume import Reuse
from harness.sections.evidence import Grounds, counted, grounds, settled
from harness.sections.protocol import SectionRunner
from harness.sections.registry import kinds
from harness.sections.work import GateSide, SectionJob, SectionWork
from harness.storage import RunFolder
from harness.storage.mirror import Mirror

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

    def run(self, targets: Sequence[str]) -> dict[str, Run]:
        """The finished runs of the targets by name, with the results of all their sections.

        Sections that need a baseline as well are left to a gate.

        Raises:
            UsageError: a target, model or adapter does not exist.
            EvidenceError: a section came to no results.
            ServerError: a server cannot be started or reached, or is gone for good.
            AdapterNotApplied: a candidate's adapter has no effect on the answers.
        """
        runs = run(
            *(self.project, targets, self.suites, self.watcher, self.selection),
            reuse=self.reuse,
            cluster=self.cluster,
        )
        return with_results(self, runs, None, grounds(self.project, None))


def evaluate(
    project: Project,
    targets: Sequence[str],
    suites: Sequence[Suite],
    watcher: Watcher,
    selection: Selections = None,
    *,
    reuse: Reuse = "stored",
    cluster: RayCluster | None = None,
) -> dict[str, Run]:
    """The result of `Evaluation.run`."""
    asked = Evaluation(project, tuple(suites), watcher, selection, reuse, cluster)
    return asked.run(targets)


def with_results(
    asked: Evaluation, runs: Mapping[str, Run], gate: GateSide | None, now: Grounds
) -> dict[str, Run]:
    """The runs with the results of sections that are more than one request a case.

    They are run now where a run lacks them; `gate` is None where no baseline is at hand.

    Raises:
        EvidenceError: a section came to no results.
        HarnessError: whatever stops a section's work.
    """
    found, anew = dict(runs), set(runs)
    for name in kinds().names():
        sections = [
            (suite, section)
            for suite in asked.suites
            for section in suite.worked
            if section.kind == name
        ]
        if not sections:
            continue
        kind = kinds().get(name)
        if not isinstance(kind, SectionRunner) or (kind.needs_baseline and gate is None):
            continue
        jobs = [
            job for target in runs for job in _lacking(asked, target, runs[target], sections, now)
        ]
        if jobs:
            work = SectionWork(
                asked.project,
                jobs,
                asked.watcher,
                selection=asked.part(jobs[0].target),
                now=now,
                gate=gate,
                reuse=asked.reuse,
                cluster=asked.cluster,
                asked_anew=anew,
            )
            kind.run(work)
            _check(work)
            found |= _again(asked, jobs)
    return found


def _lacking(
    asked: Evaluation,
    target: str,
    run: Run,
    sections: Sequence[tuple[Suite, Section]],
    now: Grounds,
) -> list[SectionJob]:
    """The sections for which the target's run has no valid results."""
    folder = RunFolder(asked.project.runs / run.header.run_id)
    known = settled(folder.recording(), run.header.freshness, now)
    selection = asked.part(target)
    planned = _plan_of(run.header, selection)
    jobs = []
    for suite, section in sections:
        cases = selected_cases(suite, section, selection)
        if (suite.name, section.name) not in known and (cases or not section.cases):
            jobs.append(SectionJob(planned, suite, section, cases, run.header.freshness))
    return jobs


def _plan_of(header: RunHeader, selection: Selection) -> Plan:
    """The plan that a finished run followed, with nothing left to ask."""
    generation = Generation.model_validate(header.generation)
    if selection.concurrency is not None:
        generation = generation.model_copy(update={"concurrency": selection.concurrency})
    return Plan(
        run_id=header.run_id,
        target=header.target,
        identity=header.identity,
        generation=generation,
        system_prompts=header.system_prompts,
        suite_digests=header.suites,
        asks=RequestList(()),
        selection=header.selection,
    )


def tell_of_unfinished(
    project: Project,
    suites: Sequence[Suite],
    runs: Mapping[str, Run],
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
                f"{name}: {what} were begun again since and did not "
                "come to an end; what was recorded before counts"
            )


def _check(work: SectionWork) -> None:
    """Refuse work that left a section without results."""
    for job in work.jobs:
        if not work.settled(job, ()):
            what, _ = job.section.missing(".".join(job.place))
            raise EvidenceError(f"`{job.target}` has no scores of {what}")


def _again(asked: Evaluation, jobs: Sequence[SectionJob]) -> dict[str, Run]:
    """The runs of the jobs, read again from disk and uploaded to the mirror."""
    mirror = Mirror.open(asked.project.runs_url, asked.watcher.say)
    found = {}
    for job in jobs:
        folder = RunFolder(asked.project.runs / job.plan.run_id)
        if job.target not in found:
            mirror.finish(folder.path)
            found[job.target] = folder.load()
    return found
