"""Run: plan, prove, generate and score each target, resuming what is unfinished."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import shutil
from collections import defaultdict
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Protocol, TypeVar

from harness.clock import SYSTEM_CLOCK
from harness.config import Project
from harness.errors import BudgetSpent, EvidenceError, ServerError
from harness.records.asks import Ask
from harness.records.attempt import Attempt
from harness.records.cost import Asking, spending, tokens_of
from harness.records.run import Run, RunHeader
from harness.records.suite import Suite
from harness.stages.connect import Endpoint, connect, identify
from harness.stages.dial import dial
from harness.stages.fingerprint import check_unchanged, first_proven
from harness.stages.generate import Question, generate
from harness.stages.listing import check_listing
from harness.stages.plan import Selection, plan
from harness.stages.prove import prove_all
from harness.stages.provenance import header, priced
from harness.stages.resume import Job, Reuse, resume
from harness.stages.score import Scoring

T = TypeVar("T")


class Watcher(Protocol):
    """Whoever wants to hear how a run goes."""

    def say(self, text: str) -> None:
        """Take note of a step that begins."""
        ...

    def progress(self, stage: str, done: int, total: int, detail: str) -> None:
        """Take note that `done` of `total` are over."""
        ...


def run(
    project: Project,
    targets: Sequence[str],
    suites: Sequence[Suite],
    watcher: Watcher,
    selection: Selection | None = None,
    *,
    reuse: Reuse = "stored",
) -> dict[str, Run]:
    """The finished runs of the targets, by name; what was already answered is not asked again.

    A managed server is started only if something is left to ask, serves all targets that are on
    it, and is restarted once if it dies.

    Raises:
        UsageError: a target, model or adapter does not exist.
        ServerError: a server cannot be started or reached, or is gone for good.
        AdapterNotApplied: a candidate's adapter has no effect on the answers.
    """
    jobs: dict[str, Job] = {}
    by_server: defaultdict[str, list[str]] = defaultdict(list)
    for target in dict.fromkeys(targets):
        planned = plan(project, target, suites, run_async(identify(project, target)), selection)
        jobs[target] = resume(project, planned, reuse)
        _tell_of_reuse(jobs[target], reuse, watcher)
        by_server[project.target(target).server].append(target)
    done: dict[str, Run] = {}
    for server, names in by_server.items():
        open_jobs = {name: jobs[name] for name in names if _needs_server(jobs[name])}
        if open_jobs:
            done |= _ask_all(project, server, open_jobs, suites, watcher)
    for name, job in jobs.items():
        known = job.folder.header()
        if known is None:  # every answer was taken over from other runs
            job.folder.write_header(header(project, job, suites, None, SYSTEM_CLOCK))
        elif (asking := priced(project, name, known.asking)) != known.asking:
            job.folder.write_header(known.model_copy(update={"asking": asking}))
        if name not in done:
            done[name] = job.finish(suites, SYSTEM_CLOCK)
    return {name: done[name] for name in jobs}


def _tell_of_reuse(job: Job, reuse: Reuse, watcher: Watcher) -> None:
    """Say what goes on, and that stored answers stand for a server whose weights are not known."""
    who = job.plan.target
    if not job.done:
        return
    if reuse == "measured":
        watcher.say(
            f"{who}: goes on with a measurement begun {job.oldest}; --no-cache starts again"
        )
    elif reuse == "begun":
        watcher.say(f"{who}: goes on with a run begun {job.oldest} without stored answers")
    elif job.plan.identity.weights is None:
        watcher.say(
            f"{who}: {len(job.done)} stored answers, the first of {job.oldest}, are "
            "used again; if another model is behind that name now, run with --no-cache"
        )


def run_async(work: Coroutine[Any, Any, T]) -> T:
    """The result of the coroutine, on uvloop's event loop where there is one."""
    try:
        import uvloop
    except ImportError:
        return asyncio.run(work)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


def _needs_server(job: Job) -> bool:
    """Whether something is left to ask, or an adapter still has to be proven.

    Behind a url another one may have been loaded since: it is proven each time.
    """
    known = job.folder.header()
    identity = job.plan.identity
    proven = known is not None and known.adapter_proof is not None and identity.weights is not None
    return job.open > 0 or (identity.adapter is not None and not proven)


def _ask_all(
    project: Project,
    server: str,
    jobs: dict[str, Job],
    suites: Sequence[Suite],
    watcher: Watcher,
) -> dict[str, Run]:
    log = next(iter(jobs.values())).folder.server_log
    done = {}
    try:
        with connect(project, server, list(jobs), log, watcher.say) as endpoint:
            for name, job in jobs.items():
                _ask_through(project, job, suites, endpoint, watcher)
                _check_identity(project, job)
                # Now, so that a later target's error loses nothing.
                done[name] = job.finish(suites, SYSTEM_CLOCK, scored=True)
    finally:
        for job in jobs.values():
            if job.folder.server_log != log and job.folder.path.exists():
                with contextlib.suppress(OSError):  # a copy for convenience hides no error
                    shutil.copyfile(log, job.folder.server_log)
    return done


def _ask_through(
    project: Project, job: Job, suites: Sequence[Suite], endpoint: Endpoint, watcher: Watcher
) -> None:
    """Ask for what is pending, over one death of a managed server."""
    try:
        run_async(_ask(project, job, suites, endpoint, watcher))
    except ServerError:
        if endpoint.managed is None or endpoint.managed.alive():
            raise
        watcher.say(f"{job.plan.target}: the server died; starting it once more")
        endpoint.managed.restart()
        known = job.folder.header()
        begun = known is not None and known.freshness == job.freshness
        # Before anything was asked, what the folder holds may be what was to be asked again.
        again = resume(project, job.plan) if begun or not job.anew else job
        run_async(_ask(project, again, suites, endpoint, watcher))


def _check_identity(project: Project, job: Job) -> None:
    """Refuse answers if the files that were hashed are not the files that were served."""
    if job.plan.identity.weights is None:
        return
    if run_async(identify(project, job.plan.target)) != job.plan.identity:
        raise EvidenceError(
            f"the files of `{job.plan.target}` changed while it was served",
            hint="delete the run's folder and run again",
            where=str(job.folder.path),
        )


async def _ask(
    project: Project, job: Job, suites: Sequence[Suite], endpoint: Endpoint, watcher: Watcher
) -> None:
    planned = job.plan
    settings = planned.generation
    called = project.target(planned.target).answers_as
    async with dial(endpoint, settings, SYSTEM_CLOCK) as dialled:
        # Before the journal is opened: an adapter that is not applied undoes nothing.
        check = functools.partial(check_listing, project, planned.target, planned.identity)
        proof = await prove_all(dialled, planned, watcher.say, called, check)
        if proof is not None:
            if (first := first_proven(project, job)) is not None and first.adapter_proof:
                check_unchanged(proof, first.adapter_proof, first.created)
            watcher.say(
                f"{planned.target}: adapter proven, {proof.differing} of {proof.probes} probes "
                f"differ (largest {proof.largest_gap:.3g} nats, noise {proof.noise:.2g})"
            )
        head = header(project, job, suites, proof, SYSTEM_CLOCK)
        with job.folder.writing(anew=job.anew) as journal, job.folder.scoring() as scores:
            job.folder.write_header(head)
            question = Question(planned.identity.model, settings, called)
            scoring, count = Scoring(suites), _counter(watcher, planned.target, job)
            stopwatch = _Stopwatch()

            def see(ask: Ask, attempt: Attempt) -> None:
                stopwatch.see(attempt)
                scores.append(scoring.score(ask, attempt).model_dump_json())
                count(attempt)

            try:
                await generate(job.pending(), question, dialled.client, journal, see)
            except BudgetSpent:
                watcher.say(_total(job, stopwatch.add_to(head)))
                raise
            finally:
                job.folder.write_header(stopwatch.add_to(head))


def _total(job: Job, head: RunHeader) -> str:
    spent = spending(tokens_of(job.folder.attempts().values()), head.asking)
    cost = "" if spent.cost is None else f", which cost {spent.cost:.6g} in all"
    return f"{head.target}: has {spent.answers} of {head.planned} answers{cost}"


class _Stopwatch:
    """How long an asking takes and how many answers it brings."""

    def __init__(self) -> None:
        self._began = SYSTEM_CLOCK.now()
        self._answers = 0

    def see(self, attempt: Attempt) -> None:
        self._answers += attempt.status == "answered"

    def add_to(self, head: RunHeader) -> RunHeader:
        seconds = SYSTEM_CLOCK.now() - self._began
        asking = (head.asking or Asking()).longer(seconds, self._answers)
        return head.model_copy(update={"asking": asking})


def _counter(watcher: Watcher, name: str, job: Job) -> Callable[[Attempt], None]:
    total = len(job.plan.asks)
    count = {"done": len(job.done), "failed": 0}
    stage = f"asking {name}"
    watcher.progress(stage, count["done"], total, "")

    def see(attempt: Attempt) -> None:
        count["done"] += 1
        count["failed"] += attempt.status == "failed"
        failed = f"{count['failed']} failed" if count["failed"] else ""
        watcher.progress(stage, count["done"], total, failed)

    return see
