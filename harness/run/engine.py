"""Run targets: plan, prove adapters, generate, score; unfinished runs are resumed."""

from __future__ import annotations

import contextlib
import functools
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.clock import SYSTEM_CLOCK
from harness.config import Project
from harness.errors import BudgetSpent, EvidenceError, ServerError, UsageError
from harness.event_loop import run_async
from harness.records.attempt import Attempt
from harness.records.cost import Asking, TokenCounter, spending
from harness.records.omissions import omissions
from harness.records.plan import Plan, PlannedRequest
from harness.records.run import AdapterProof, RunHeader, RunRecord, Watcher
from harness.records.suite import Suite
from harness.records.target import Identity
from harness.run.distribute import check_reach, distribute
from harness.run.few_shot import examples_of
from harness.run.generate import Question, Trial, generate
from harness.run.plan import Selection, plan
from harness.run.provenance import header, priced
from harness.run.ray_cluster import RayCluster
from harness.run.resume import Job, Reuse, resume
from harness.run.score import Scoring
from harness.storage.mirror import Mirror
from harness.storage.mirror_thread import Hold
from harness.targets.adapter_proof import earlier_proofs, prove_all
from harness.targets.additions import asker
from harness.targets.chat_trial import check_answers
from harness.targets.client_stack import ClientStack, open_stack
from harness.targets.connection import connect, copy_log
from harness.targets.endpoint import Endpoint
from harness.targets.fingerprint import check_unchanged
from harness.targets.identity import check_listing, identify


def run(
    project: Project,
    targets: Sequence[str],
    suites: Sequence[Suite],
    watcher: Watcher,
    selection: Selection | Mapping[str, Selection] | None = None,
    *,
    reuse: Reuse = "stored",
    cluster: RayCluster | None = None,
) -> dict[str, RunRecord]:
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
        identity = run_async(identify(project, target, watcher.say))
        part = selection[target] if isinstance(selection, Mapping) else selection
        planned = plan(project, target, suites, identity, part)
        mirror.fetch(project.runs, target, functools.partial(_is_of, identity))
        jobs[target] = resume(project, planned, reuse)
        for said in omissions(identity.request, planned.generation.model_dump()):
            watcher.say(f"{target}: {said}")
        _report_reuse(jobs[target], reuse, watcher)
    done = finish_jobs(project, list(jobs.values()), suites, watcher, cluster=cluster)
    return dict(zip(jobs, done, strict=True))


def finish_jobs(
    project: Project,
    jobs: Sequence[Job],
    suites: Sequence[Suite],
    watcher: Watcher,
    *,
    cluster: RayCluster | None = None,
) -> list[RunRecord]:
    """The finished runs of the jobs, in their order; what is left of them is asked.

    Raises:
        UsageError: examples or passages that a target puts before a question are not to be had.
        ServerError: a server cannot be started or reached, or is gone for good.
        AdapterNotApplied: a candidate's adapter has no effect on the answers.
        BudgetSpent: what is left of a server's `max_cost` may not be enough to go on.
    """
    engine = _Engine(project, suites, watcher, cluster)
    mirror = Mirror.open(project.runs_url, watcher.say)
    by_server: defaultdict[str, list[Job]] = defaultdict(list)
    for job in jobs:
        if engine.needs_server(job):
            engine.check_additions(job)
            by_server[project.target(job.plan.target).server].append(job)
    done: dict[str, RunRecord] = {}
    for server, some in by_server.items():
        with contextlib.ExitStack() as stack:
            held = [(job, stack.enter_context(mirror.hold(job.folder.path))) for job in some]
            for job in some:  # what came before the run was held
                wanted = functools.partial(_is_of, job.plan.identity)
                mirror.fetch(project.runs, job.plan.target, wanted)
            done |= engine.ask_server(server, held)
    for job in jobs:
        if job.plan.run_id not in done:
            done[job.plan.run_id] = engine.finish_answered(job)
        mirror.finish(job.folder.path)
    return [done[job.plan.run_id] for job in jobs]


def _trial(endpoint: Endpoint, question: Question) -> Trial | None:
    """A question to each address, where a route that is missing can be told from a case's fault."""
    if endpoint.dialect == "http":
        return None

    async def trial() -> None:
        for url in endpoint.urls:
            await check_answers(
                endpoint, url, question.model, question.generation, question.answers_as
            )

    return trial


def _is_of(identity: Identity, header: RunHeader) -> bool:
    return header.identity == identity


def _report_reuse(job: Job, reuse: Reuse, watcher: Watcher) -> None:
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


@dataclass(frozen=True, slots=True)
class _Engine:
    """What the jobs have in common; with a `cluster`, its workers send the requests."""

    project: Project
    suites: Sequence[Suite]
    watcher: Watcher
    cluster: RayCluster | None

    def needs_server(self, job: Job) -> bool:
        """Whether requests are left, or an adapter must still be proven."""
        return job.open > 0 or (
            job.plan.identity.adapter is not None and self._known_proof(job) is None
        )

    def _known_proof(self, job: Job) -> AdapterProof | None:
        """The proof of the job's run, or of another whose answers stand beside its own.

        It holds where the files that are served were hashed. Behind a url, another adapter may have
        been loaded since: it is proven each time.
        """
        if job.plan.identity.weights is None:
            return None
        known = job.folder.header()
        if known is not None and known.adapter_proof is not None:
            return known.adapter_proof
        return next(
            (proof for proof, _ in earlier_proofs(self.project, job.plan, job.freshness)), None
        )

    def finish_answered(self, job: Job) -> RunRecord:
        """The run of a job whose answers are all there."""
        known = None if job.anew() else job.folder.header()
        if known is None or job.taken:
            with job.writing(functools.partial(self._header, self._known_proof(job))):
                pass
        elif (asking := priced(self.project, job.plan.target, known.asking)) != known.asking:
            job.folder.write_header(known.model_copy(update={"asking": asking}))
        return job.finish(self.suites, SYSTEM_CLOCK)

    def ask_server(self, server: str, held: Sequence[tuple[Job, Hold]]) -> dict[str, RunRecord]:
        """The finished runs, by id, of the jobs whose targets are on the server."""
        jobs = [job for job, _ in held]
        if self.cluster is not None and any(job.open for job in jobs):
            check_reach(self.cluster, server, self.project)
        log = jobs[0].folder.server_log
        targets = list(dict.fromkeys(job.plan.target for job in jobs))
        done, started = {}, Endpoint((), None, log=log)
        try:
            with connect(self.project, server, targets, log, self.watcher.say) as endpoint:
                started = endpoint
                for job, hold in held:
                    self.ask_restarting(job, endpoint, hold)
                    self._check_identity(job)
                    # Now, so that a later target's error loses nothing.
                    done[job.plan.run_id] = job.finish(self.suites, SYSTEM_CLOCK, scored=True)
                    hold.finish()
        finally:
            for job in jobs:
                copy_log(started, job.folder.server_log)
        return done

    def ask_restarting(self, job: Job, endpoint: Endpoint, hold: Hold) -> None:
        """Send the pending requests; a managed server that dies is restarted once."""
        try:
            run_async(self._ask(job, endpoint, hold))
        except ServerError:
            if endpoint.managed is None or endpoint.managed.alive():
                raise
            self.watcher.say(f"{job.plan.target}: the server died; starting it once more")
            endpoint.managed.restart()
            known = job.folder.header()
            begun = known is not None and known.freshness == job.freshness
            # Before anything was asked, what the folder holds may be what was to be asked again.
            again = resume(self.project, job.plan) if begun else job
            run_async(self._ask(again, endpoint, hold))

    async def _ask(self, job: Job, endpoint: Endpoint, hold: Hold) -> None:
        """Return when everything that was open has an attempt in the journal of the job's run."""
        planned = job.plan
        called = self.project.target(planned.target).answers_as
        async with open_stack(
            endpoint, planned.generation, SYSTEM_CLOCK, self.watcher.say
        ) as clients:
            # Before the journal is opened: an adapter that is not applied undoes nothing.
            proof = await self._prove(job, clients, called)
            question = self._question(planned, " ".join(endpoint.urls))
            head = functools.partial(self._header, proof)
            with job.writing(head) as (begun, journal), job.folder.scoring() as scores:
                hold.follow()
                scoring, counter = Scoring(self.suites), _Counter(begun, self.watcher, hold)

                def see(one: PlannedRequest, attempt: Attempt) -> None:
                    if scoring.quick and planned.scored:
                        scores.append(scoring.score(one, attempt).model_dump_json())
                    counter.see(attempt)

                pending = begun.pending()
                try:
                    if self.cluster is None:
                        trial = _trial(endpoint, question)
                        client = asker(self.project, planned.target)(clients.client)
                        await generate(pending, question, client, journal, see, trial)
                    else:
                        there = clients.remaining(endpoint)
                        await distribute(pending, question, there, self.cluster, journal, see)
                except BudgetSpent:
                    self.watcher.say(_total(job, counter.note()))
                    raise
                finally:
                    counter.note()

    def _question(self, planned: Plan, where: str) -> Question:
        called = self.project.target(planned.target).answers_as
        examples = examples_of(self.project, planned.target)
        return Question(planned.identity.model, planned.generation, called, where, examples)

    def check_additions(self, job: Job) -> None:
        """Nothing, where each open request has examples enough, and passages can be looked up."""
        target = job.plan.target
        if self.project.target(target).retrieval is not None:
            if self.cluster is not None:
                raise UsageError(
                    "the workers of a cluster look up no passages",
                    where=self.project.place(f"targets.{target}.retrieval"),
                    hint="leave --engine ray away",
                )
            asker(self.project, target)
        if (examples := examples_of(self.project, target)) is not None:
            for ask in job.pending():
                examples.conversation(ask)

    def _header(self, proof: AdapterProof | None, job: Job) -> RunHeader:
        return header(self.project, job, self.suites, proof, SYSTEM_CLOCK)

    async def _prove(
        self, job: Job, clients: ClientStack, called: str | None
    ) -> AdapterProof | None:
        planned, say = job.plan, self.watcher.say
        check = functools.partial(check_listing, self.project, planned.target, planned.identity)
        proof = await prove_all(clients, planned, say, called, check)
        # Where the files that are served were hashed, they say more than any answer.
        if proof is not None and planned.identity.weights is None:
            for then, since in earlier_proofs(self.project, planned, job.freshness):
                check_unchanged(proof, then, since)
        if proof is not None:
            say(
                f"{planned.target}: adapter proven, {proof.differing} of {proof.probes} probes "
                f"differ (largest {proof.largest_gap:.3g} nats, noise {proof.noise:.2g})"
            )
        return proof

    def _check_identity(self, job: Job) -> None:
        """Refuse answers if the files that were hashed are not the files that were served."""
        target, identity = job.plan.target, job.plan.identity
        if identity.weights is None or run_async(identify(self.project, target)) == identity:
            return
        with job.folder.writing(lambda: True):  # nobody is to take these answers for good ones
            pass
        raise EvidenceError(
            f"the files of `{target}` changed while it was served",
            hint="its answers are set aside; run again",
            where=str(job.folder.path),
        )


def _total(job: Job, head: RunHeader) -> str:
    counter = TokenCounter()
    for attempt in job.folder.attempts().values():
        counter.add(attempt)
    spent = spending(counter.tokens(), head.asking)
    cost = "" if spent.cost is None else f", which cost {spent.cost:.6g} in all"
    return f"{head.target}: has {spent.answers} of {head.planned} answers{cost}"


class _Counter:
    """Counts attempts: for the watcher, and with their duration for the header of the run."""

    def __init__(self, job: Job, watcher: Watcher, hold: Hold) -> None:
        self._folder = job.folder
        self._watcher = watcher
        self._hold = hold
        self._stage = f"asking {job.plan.target}"
        self._head = job.folder.header()
        self._began = SYSTEM_CLOCK.now()
        self._done, self._total = len(job.done), len(job.plan.requests)
        self._attempts = self._failed = 0
        watcher.progress(self._stage, self._done, self._total, "")

    def see(self, attempt: Attempt) -> None:
        """Count one attempt; raise if another machine has taken the run over."""
        self._attempts += 1
        self._failed += attempt.status == "failed"
        self._hold.check()
        failed = f"{self._failed} failed" if self._failed else ""
        self._watcher.progress(self._stage, self._done + self._attempts, self._total, failed)

    def note(self) -> RunHeader:
        """Write the header with what was measured so far, if anything was asked."""
        assert self._head is not None
        if not self._attempts:
            return self._head
        seconds = SYSTEM_CLOCK.now() - self._began
        known = self._head.asking or Asking()
        asking = known.longer(seconds, self._attempts - self._failed)
        head = self._head.model_copy(update={"asking": asking})
        self._folder.write_header(head)
        return head
