"""Run: plan, prove, generate and score each target, resuming what is unfinished."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Protocol, TypeVar

from harness.client.openai import OpenAIClient
from harness.client.retry import RetryingClient
from harness.clock import SYSTEM_CLOCK
from harness.config import Project
from harness.errors import ServerError
from harness.records.attempt import Attempt
from harness.records.run import Run
from harness.records.suite import Suite
from harness.stages.connect import BASE, Endpoint, connect, identify, model_name
from harness.stages.generate import Question, generate
from harness.stages.plan import Selection, plan
from harness.stages.prove import prove
from harness.stages.provenance import header
from harness.stages.resume import Job, resume

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
    use_cache: bool = True,
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
        identity = run_async(identify(project, target))
        jobs[target] = resume(
            project, plan(project, target, suites, identity, selection), use_cache=use_cache
        )
        by_server[project.target(target).server].append(target)
    for server, names in by_server.items():
        open_jobs = {name: jobs[name] for name in names if _needs_server(jobs[name])}
        if open_jobs:
            _ask_all(project, server, open_jobs, suites, watcher)
    for job in jobs.values():
        if job.folder.header() is None:  # every answer was taken over from other runs
            job.folder.write_header(header(project, job.plan, suites, None, SYSTEM_CLOCK))
    return {name: job.finish(suites, SYSTEM_CLOCK) for name, job in jobs.items()}


def run_async(work: Coroutine[Any, Any, T]) -> T:
    """The result of the coroutine, on uvloop's event loop where there is one."""
    try:
        import uvloop
    except ImportError:
        return asyncio.run(work)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


def _needs_server(job: Job) -> bool:
    """Whether something is left to ask, or an adapter still has to be proven."""
    known = job.folder.header()
    proven = known is not None and known.adapter_proof is not None
    return bool(job.pending) or (job.plan.identity.adapter is not None and not proven)


def _ask_all(
    project: Project,
    server: str,
    jobs: dict[str, Job],
    suites: Sequence[Suite],
    watcher: Watcher,
) -> None:
    log = next(iter(jobs.values())).folder.server_log
    log.parent.mkdir(parents=True, exist_ok=True)
    with connect(project, server, list(jobs), log, watcher.say) as endpoint:
        for name, job in jobs.items():
            try:
                run_async(_ask(project, job, suites, endpoint, watcher))
            except ServerError:
                if endpoint.managed is None or endpoint.managed.alive():
                    raise
                watcher.say(f"{name}: the server died; starting it once more")
                endpoint.managed.restart()
                run_async(_ask(project, resume(project, job.plan), suites, endpoint, watcher))
            job.finish(suites, SYSTEM_CLOCK)  # now, so that a later target's error loses nothing


async def _ask(
    project: Project, job: Job, suites: Sequence[Suite], endpoint: Endpoint, watcher: Watcher
) -> None:
    name = job.plan.target
    model = model_name(project, name)
    settings = job.plan.generation
    with job.folder.writing() as journal:
        async with OpenAIClient(
            endpoint.url, api_key=endpoint.api_key, generation=settings, clock=SYSTEM_CLOCK
        ) as direct:
            client = RetryingClient(direct, generation=settings, clock=SYSTEM_CLOCK)
            proof = None
            if job.plan.identity.adapter is not None:
                server = await endpoint.describe()
                proof = await prove(
                    client, server, (BASE, model), job.plan.identity.adapter, job.plan.asks
                )
                watcher.say(
                    f"{name}: adapter proven, {proof.differing} of {proof.probes} probes differ "
                    f"(largest {proof.largest_gap:.3g} nats, noise {proof.noise:.2g})"
                )
            job.folder.write_header(header(project, job.plan, suites, proof, SYSTEM_CLOCK))
            await generate(
                job.pending,
                Question(model, settings),
                client,
                journal,
                _counter(watcher, name, job),
            )


def _counter(watcher: Watcher, name: str, job: Job) -> Callable[[Attempt], None]:
    total = len(job.plan.asks)
    count = {"done": len(job.done), "failed": 0}
    watcher.progress(name, count["done"], total, "")

    def see(attempt: Attempt) -> None:
        count["done"] += 1
        count["failed"] += attempt.status == "failed"
        failed = f"{count['failed']} failed" if count["failed"] else ""
        watcher.progress(name, count["done"], total, failed)

    return see
