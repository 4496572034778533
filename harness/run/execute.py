"""Send the pending requests of a job to its server: prove the adapter, then ask and score."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from harness.clock import SYSTEM_CLOCK
from harness.config import Project
from harness.errors import BudgetSpent
from harness.records.attempt import Attempt
from harness.records.cost import Asking, TokenCounter, spending
from harness.records.plan import PlannedRequest
from harness.records.run import AdapterProof, RunHeader, Watcher
from harness.records.suite import Suite
from harness.run.distribute import distribute
from harness.run.generate import Question, generate
from harness.run.provenance import header
from harness.run.ray_cluster import RayCluster
from harness.run.resume import Job
from harness.run.score import Scoring
from harness.storage import RunFolder
from harness.storage.mirror_thread import Hold
from harness.targets.adapter_proof import check_unchanged, earlier_proofs, prove_all
from harness.targets.client_stack import ClientStack, open_stack
from harness.targets.endpoint import Endpoint
from harness.targets.identity import check_listing


@dataclass(frozen=True, slots=True)
class Means:
    """What a job uses besides its server: a cluster's workers, and a mirror of the records."""

    cluster: RayCluster | None
    hold: Hold


async def ask(
    project: Project,
    job: Job,
    suites: Sequence[Suite],
    endpoint: Endpoint,
    watcher: Watcher,
    means: Means,
) -> None:
    """Return when everything that was open has an attempt in the journal of the job's run.

    Raises:
        ServerError: the server is gone, or refuses.
        AdapterNotApplied: the adapter has no effect, or is another than it was.
        BudgetSpent: what is left of the server's `max_cost` may not be enough to go on.
    """
    planned = job.plan
    settings = planned.generation
    called = project.target(planned.target).answers_as
    async with open_stack(endpoint, settings, SYSTEM_CLOCK, watcher.say) as clients:
        # Before the journal is opened: an adapter that is not applied undoes nothing.
        proof = await _prove(project, job, clients, watcher, called)
        where = " ".join(endpoint.urls)
        question = Question(planned.identity.model, settings, called, where)
        head = functools.partial(_head, project, suites, proof)
        with job.writing(head) as (begun, journal), job.folder.scoring() as scores:
            means.hold.follow()
            scoring, count = Scoring(suites), _counter(watcher, begun, means.hold)
            stopwatch = _Stopwatch(job.folder)

            def see(one: PlannedRequest, attempt: Attempt) -> None:
                stopwatch.see(attempt)
                if scoring.quick and planned.scored:
                    scores.append(scoring.score(one, attempt).model_dump_json())
                count(attempt)

            try:
                if means.cluster is None:
                    await generate(begun.pending(), question, clients.client, journal, see)
                else:
                    there = clients.remaining(endpoint)
                    pending, cluster = begun.pending(), means.cluster
                    await distribute(pending, question, there, cluster, journal, see)
            except BudgetSpent:
                watcher.say(_total(job, stopwatch.note()))
                raise
            finally:
                stopwatch.note()


def _head(
    project: Project, suites: Sequence[Suite], proof: AdapterProof | None, job: Job
) -> RunHeader:
    return header(project, job, suites, proof, SYSTEM_CLOCK)


async def _prove(
    project: Project, job: Job, clients: ClientStack, watcher: Watcher, called: str | None
) -> AdapterProof | None:
    planned = job.plan
    check = functools.partial(check_listing, project, planned.target, planned.identity)
    proof = await prove_all(clients, planned, watcher.say, called, check)
    if proof is not None:
        for then, since in earlier_proofs(project, planned, job.freshness):
            check_unchanged(proof, then, since)
        watcher.say(
            f"{planned.target}: adapter proven, {proof.differing} of {proof.probes} probes "
            f"differ (largest {proof.largest_gap:.3g} nats, noise {proof.noise:.2g})"
        )
    return proof


def _total(job: Job, head: RunHeader) -> str:
    counter = TokenCounter()
    for attempt in job.folder.attempts().values():
        counter.add(attempt)
    spent = spending(counter.tokens(), head.asking)
    cost = "" if spent.cost is None else f", which cost {spent.cost:.6g} in all"
    return f"{head.target}: has {spent.answers} of {head.planned} answers{cost}"


class _Stopwatch:
    """Measures duration and number of answers, for the header of the run."""

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder
        self._head = folder.header()
        self._began = SYSTEM_CLOCK.now()
        self._answers = self._attempts = 0

    def see(self, attempt: Attempt) -> None:
        self._attempts += 1
        self._answers += attempt.status == "answered"

    def note(self) -> RunHeader:
        """Write the header with what was measured so far, if anything was asked."""
        assert self._head is not None
        if not self._attempts:
            return self._head
        seconds = SYSTEM_CLOCK.now() - self._began
        asking = (self._head.asking or Asking()).longer(seconds, self._answers)
        head = self._head.model_copy(update={"asking": asking})
        self._folder.write_header(head)
        return head


def _counter(watcher: Watcher, job: Job, hold: Hold) -> Callable[[Attempt], None]:
    total = len(job.plan.asks)
    count = {"done": len(job.done), "failed": 0}
    stage = f"asking {job.plan.target}"
    watcher.progress(stage, count["done"], total, "")

    def see(attempt: Attempt) -> None:
        hold.check()
        count["done"] += 1
        count["failed"] += attempt.status == "failed"
        failed = f"{count['failed']} failed" if count["failed"] else ""
        watcher.progress(stage, count["done"], total, failed)

    return see
