"""Run targets: plan, prove adapters, generate, score; unfinished runs are resumed."""

from __future__ import annotations

import contextlib
import shutil
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import partial

from harness.clock import SYSTEM_CLOCK
from harness.config import Project
from harness.errors import EvidenceError, ServerError
from harness.event_loop import run_async
from harness.records.run import Run, RunHeader, Watcher
from harness.records.suite import Suite
from harness.records.target import Identity
from harness.run.distribute import check_reach
from harness.run.execute import Means, ask
from harness.run.plan import Selection, plan
from harness.run.provenance import header, priced
from harness.run.ray_cluster import RayCluster
from harness.run.resume import Job, Reuse, resume
from harness.storage.mirror import Mirror
from harness.targets.endpoint import Endpoint, connect
from harness.targets.identity import identify


def run(
    project: Project,
    targets: Sequence[str],
    suites: Sequence[Suite],
    watcher: Watcher,
    selection: Selection | Mapping[str, Selection] | None = None,
    *,
    reuse: Reuse = "stored",
    cluster: RayCluster | None = None,
) -> dict[str, Run]:
    """The finished runs of the targets, by name; stored answers are not asked for again.

    A `selection` is one for all targets, or one for each by name. With a `cluster`, its workers do
    the asking; all else happens here.

    A managed server is started only if something is left to ask, serves all targets that are on
    it, and is restarted once if it dies.

    Raises:
        UsageError: a target, model or adapter does not exist.
        ServerError: a server cannot be started or reached, or is gone for good.
        AdapterNotApplied: a candidate's adapter has no effect on the answers.
    """
    mirror = Mirror.open(project.runs_url, watcher.say)
    jobs: dict[str, Job] = {}
    for target in dict.fromkeys(targets):
        identity = run_async(identify(project, target))
        part = selection[target] if isinstance(selection, Mapping) else selection
        planned = plan(project, target, suites, identity, part)
        mirror.fetch(project.runs, target, partial(_is_of, identity))
        jobs[target] = resume(project, planned, reuse)
        _tell_of_reuse(jobs[target], reuse, watcher)
    done = finish_jobs(project, list(jobs.values()), suites, watcher, cluster=cluster)
    return dict(zip(jobs, done, strict=True))


def finish_jobs(
    project: Project,
    jobs: Sequence[Job],
    suites: Sequence[Suite],
    watcher: Watcher,
    *,
    cluster: RayCluster | None = None,
) -> list[Run]:
    """The finished runs of the jobs, in their order; what is left of them is asked.

    Raises:
        ServerError: a server cannot be started or reached, or is gone for good.
        AdapterNotApplied: a candidate's adapter has no effect on the answers.
    """
    mirror = Mirror.open(project.runs_url, watcher.say)
    by_server: defaultdict[str, list[Job]] = defaultdict(list)
    for job in jobs:
        if _needs_server(job):
            by_server[project.target(job.plan.target).server].append(job)
    done: dict[str, Run] = {}
    for server, some in by_server.items():
        with contextlib.ExitStack() as stack:
            means = [
                Means(cluster, stack.enter_context(mirror.hold(job.folder.path))) for job in some
            ]
            for job in some:  # what came before the run was held
                mirror.fetch(project.runs, job.plan.target, partial(_is_of, job.plan.identity))
            done |= _ask_all(project, server, some, suites, watcher, means)
    for job in jobs:
        if job.plan.run_id not in done:
            done[job.plan.run_id] = _without_asking(project, job, suites)
        mirror.finish(job.folder.path)
    return [done[job.plan.run_id] for job in jobs]


def _without_asking(project: Project, job: Job, suites: Sequence[Suite]) -> Run:
    """The run of a job whose answers are all there."""
    known = None if job.anew() else job.folder.header()
    if known is None or job.taken:
        proof = None if known is None else known.adapter_proof
        with job.writing(lambda begun: header(project, begun, suites, proof, SYSTEM_CLOCK)):
            pass
    elif (asking := priced(project, job.plan.target, known.asking)) != known.asking:
        job.folder.write_header(known.model_copy(update={"asking": asking}))
    return job.finish(suites, SYSTEM_CLOCK)


def _is_of(identity: Identity, header: RunHeader) -> bool:
    return header.identity == identity


def _tell_of_reuse(job: Job, reuse: Reuse, watcher: Watcher) -> None:
    """Report the stage, and the reuse of stored answers of a server whose weights are unknown."""
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


def _needs_server(job: Job) -> bool:
    """Whether requests are left, or an adapter must still be proven.

    Behind a url, another adapter may have been loaded since: it is proven each time.
    """
    known = job.folder.header()
    identity = job.plan.identity
    proven = known is not None and known.adapter_proof is not None and identity.weights is not None
    return job.open > 0 or (identity.adapter is not None and not proven)


def _ask_all(
    project: Project,
    server: str,
    jobs: Sequence[Job],
    suites: Sequence[Suite],
    watcher: Watcher,
    means: Sequence[Means],
) -> dict[str, Run]:
    for one in means:
        if one.cluster is not None and any(job.open for job in jobs):
            check_reach(one.cluster, server, project)
    log = jobs[0].folder.server_log
    targets = list(dict.fromkeys(job.plan.target for job in jobs))
    done = {}
    try:
        with connect(project, server, targets, log, watcher.say) as endpoint:
            for job, one in zip(jobs, means, strict=True):
                _ask_through(project, job, suites, endpoint, watcher, one)
                _check_identity(project, job)
                # Now, so that a later target's error loses nothing.
                done[job.plan.run_id] = job.finish(suites, SYSTEM_CLOCK, scored=True)
                one.hold.finish()
    finally:
        for job in jobs:
            if job.folder.server_log != log and job.folder.path.exists():
                with contextlib.suppress(OSError):  # a copy for convenience hides no error
                    shutil.copyfile(log, job.folder.server_log)
    return done


def _ask_through(
    project: Project,
    job: Job,
    suites: Sequence[Suite],
    endpoint: Endpoint,
    watcher: Watcher,
    means: Means,
) -> None:
    """Send the pending requests; a managed server that dies is restarted once."""
    try:
        run_async(ask(project, job, suites, endpoint, watcher, means))
    except ServerError:
        if endpoint.managed is None or endpoint.managed.alive():
            raise
        watcher.say(f"{job.plan.target}: the server died; starting it once more")
        endpoint.managed.restart()
        known = job.folder.header()
        begun = known is not None and known.freshness == job.freshness
        # Before anything was asked, what the folder holds may be what was to be asked again.
        again = resume(project, job.plan) if begun else job
        run_async(ask(project, again, suites, endpoint, watcher, means))


def _check_identity(project: Project, job: Job) -> None:
    """Refuse answers if the files that were hashed are not the files that were served."""
    if job.plan.identity.weights is None:
        return
    if run_async(identify(project, job.plan.target)) != job.plan.identity:
        with job.folder.writing(lambda: True):  # nobody is to take these answers for good ones
            pass
        raise EvidenceError(
            f"the files of `{job.plan.target}` changed while it was served",
            hint="its answers are set aside; run again",
            where=str(job.folder.path),
        )
