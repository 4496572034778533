"""Resume: which requests of a plan are answered, and which are left."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Literal

from harness.clock import Clock, iso
from harness.config import Project
from harness.files import Appender
from harness.records.attempt import Attempt, Score
from harness.records.plan import Plan, PlannedRequest
from harness.records.run import RunHeader, RunRecord
from harness.records.suite import Suite
from harness.run.recorded import with_recorded
from harness.run.score import fingerprint, score
from harness.storage import RunFolder, Stored, runs_of

# Which answers stand instead of being asked for: all that are stored; those of the run itself where
# it was begun afresh and broken off; the same of a measurement of noise; none.
Reuse = Literal["stored", "begun", "measured", "nothing"]


@dataclass(frozen=True, slots=True)
class Taken:
    """Answers of another run of the target."""

    name: str
    attempts: Stored[Attempt]
    keys: Sequence[str]

    def copies(self) -> Iterator[Attempt]:
        """The answers, each marked with the run that asked for it."""
        for key in self.keys:
            attempt = self.attempts[key]
            origin = attempt.reused_from or self.name
            yield attempt.model_copy(update={"reused_from": origin})


@dataclass(frozen=True, slots=True)
class Job:
    """One target's plan, the folder of its records, and the keys of the answers it has.

    `taken` are those answers that are still in other runs. `afresh` says that no stored answer is
    wanted; `oldest` is when the first of the answers at hand was asked for, if there are any.
    """

    plan: Plan
    folder: RunFolder
    done: Set[str] = frozenset()
    freshness: int = 0
    afresh: bool = False
    taken: Sequence[Taken] = ()
    oldest: str | None = None

    @property
    def open(self) -> int:
        """How many asks have no answer yet, failed ones among them."""
        return len(self.plan.requests) - len(self.done)

    def pending(self) -> Iterator[PlannedRequest]:
        """The requests that have no answer yet, in the order of the plan."""
        return (ask for ask in self.plan.requests if ask.key not in self.done)

    def anew(self) -> bool:
        """Whether the folder holds the journal of an earlier job, which must be replaced."""
        header = self.folder.header()
        return self.afresh or header is None or header.freshness != self.freshness

    def attempts(self) -> Mapping[str, Attempt]:
        """What the folder's journal holds by key, failures among it; nothing that has to go."""
        return {} if self.anew() else self.folder.attempts()

    @contextmanager
    def writing(self, head: Callable[[Job], RunHeader]) -> Iterator[tuple[Job, Appender]]:
        """The job as it stands, with its journal open for this process alone.

        Another process may have answered in the meantime, so what is done is looked at again. The
        journal has then a header, and the answers that were taken over.

        Raises:
            JournalError: another process is writing this run.
            StorageError: the folder cannot be written.
        """
        with self.folder.writing(self.anew) as journal:
            begun = _begun(self)
            self.folder.write_header(head(begun))
            for attempt in (copy for each in begun.taken for copy in each.copies()):
                journal.append(attempt.model_dump_json(exclude_none=True))
            yield begun, journal

    def finish(self, suites: Sequence[Suite], clock: Clock, *, scored: bool = False) -> RunRecord:
        """The run, scored and marked as finished.

        With `scored` the scores in the folder are of these suites and scorers, and stand. Results
        of Python tests come from an earlier run where they rest on nothing that changed since.
        """
        scorers = fingerprint(suites if self.plan.scored else ())
        if not self.folder.scored_by(scorers):
            known = self.folder.scores() if scored else {}
            rows: Iterable[tuple[Score | None, Attempt]] = (
                score(suites, self.plan.requests, self.folder.attempts(), known)
                if self.plan.scored
                else ((None, attempt) for attempt in self.folder.attempts().values())
            )
            self.folder.finish(rows, scorers, iso(clock.utc()))
        run = self.folder.load()
        return with_recorded(self.plan, self.folder, run, suites) if self.plan.scored else run


def resume(project: Project, planned: Plan, reuse: Reuse = "stored") -> Job:
    """The plan with the answers that its own journal and the target's other runs hold.

    Where stored answers are not wanted, nothing is at hand, unless the run was begun so and not
    finished; a measurement, also with as many requests at once. Answers from before somebody last
    did not want them are never used again. Nothing is written.

    Raises:
        JournalError: a journal is damaged.
    """
    folder = RunFolder(project.runs / planned.run_id)
    known = folder.header()
    runs = [
        (other, header)
        for other, header in runs_of(project.runs, planned.target)
        if header.identity == planned.identity
    ]
    freshness = max((header.freshness for _, header in runs), default=0)
    own = known is not None and known.freshness == freshness
    begun_anew = own and known is not None and known.afresh
    if known is not None and reuse == "measured":
        # How many are under way at once changes how the answers vary.
        begun_anew &= known.generation.get("concurrency") == planned.generation.concurrency
    if reuse == "nothing" or (reuse != "stored" and not begun_anew):
        return Job(planned, folder, freshness=freshness + 1, afresh=True)
    fresh = [other for other, header in runs if header.freshness == freshness]
    names, held = set(), frozenset[str]()
    if own:
        attempts = folder.attempts()
        held = _answers_in(planned, attempts)
        names = {origin or folder.path.name for origin in attempts.origins if held}
    taken = _take_over(planned, held, [other for other in fresh if other.path != folder.path])
    for each in taken:
        names |= {origin or each.name for origin in each.attempts.origins}
    headers = (RunFolder(project.runs / name).header() for name in names)
    oldest = min((header.created for header in headers if header is not None), default=None)
    done = held.union(*(each.keys for each in taken))
    return Job(planned, folder, done, freshness, taken=tuple(taken), oldest=oldest)


def _begun(job: Job) -> Job:
    """The job whose journal is open, with what that holds by now."""
    held = _answers_in(job.plan, job.folder.attempts())
    taken = tuple(
        replace(each, keys=[key for key in each.keys if key not in held]) for each in job.taken
    )
    return replace(job, done=held.union(*(each.keys for each in taken)), taken=taken)


def _answers_in(planned: Plan, attempts: Stored[Attempt]) -> frozenset[str]:
    """The keys of the plan's requests that have an answer in a journal."""
    return frozenset(
        key for key in planned.requests.each_key() if key in attempts and key not in attempts.failed
    )


def _take_over(planned: Plan, held: Set[str], others: Sequence[RunFolder]) -> list[Taken]:
    """Answers in other runs to requests that the journal has no answer to.

    The keys are digests of all that an answer depends on, so an answer found under one is the
    answer; failures are never taken over.
    """
    missing = {key for key in planned.requests.each_key() if key not in held}
    found = []
    for other in others:
        if not missing:
            break
        attempts = other.attempts()
        keys = [key for key in attempts if key in missing and key not in attempts.failed]
        if keys:
            found.append(Taken(other.path.name, attempts, keys))
            missing.difference_update(keys)
    return found
