"""Resume: what of a plan is already answered, and what is left to ask."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Literal

from harness.clock import Clock, iso
from harness.config import Project
from harness.journal import RunFolder, Stored, runs_of
from harness.records.asks import Ask
from harness.records.attempt import Attempt
from harness.records.plan import Plan
from harness.records.run import Run
from harness.records.suite import Suite
from harness.scorers.registry import fingerprint
from harness.stages.score import score

# Which answers stand instead of being asked for: all that are stored; those of the run itself where
# it was begun afresh and broken off; the same of a measurement of noise; none.
Reuse = Literal["stored", "begun", "measured", "nothing"]


@dataclass(frozen=True, slots=True)
class Job:
    """One target's plan, the folder of its records, and the keys of the answers it has.

    `anew` says that the folder's journal is to be set aside, since everything is asked again;
    `oldest` is when the first of the answers at hand was asked for, if there are any.
    """

    plan: Plan
    folder: RunFolder
    done: Set[str] = frozenset()
    freshness: int = 0
    anew: bool = False
    oldest: str | None = None

    @property
    def open(self) -> int:
        """How many asks have no answer yet, failed ones among them."""
        return len(self.plan.asks) - len(self.done)

    def pending(self) -> Iterator[Ask]:
        """The asks that have no answer yet, in the order of the plan."""
        return (ask for ask in self.plan.asks if ask.key not in self.done)

    def attempts(self) -> Mapping[str, Attempt]:
        """What the journal holds by key, failures among it; nothing where it is to be set aside."""
        return {} if self.anew else self.folder.attempts()

    def finish(self, suites: Sequence[Suite], clock: Clock, *, scored: bool = False) -> Run:
        """The run, scored and marked as finished.

        With `scored` the scores in the folder are of these suites and scorers, and stand.
        """
        scorers = fingerprint({section.scorer for suite in suites for section in suite.sections})
        if not self.folder.scored_by(scorers):
            known = self.folder.scores() if scored else {}
            rows = score(suites, self.plan.asks, self.folder.attempts(), known)
            self.folder.finish(rows, scorers, iso(clock.utc()))
        return self.folder.load()


def resume(project: Project, planned: Plan, reuse: Reuse = "stored") -> Job:
    """The plan with the answers that its own journal and the target's other runs hold.

    Where stored answers are not wanted, nothing is at hand, unless the run was begun so and not
    finished; a measurement, also with as many requests at once. Answers from before somebody last
    did not want them are never used again.

    Raises:
        JournalError: a journal is damaged, or another process is writing this run.
    """
    folder = RunFolder(project.runs / planned.run_id)
    known = folder.header()
    runs = [
        (other, header)
        for other, header in runs_of(project.runs, planned.target)
        if header.identity == planned.identity
    ]
    freshness = max((header.freshness for _, header in runs), default=0)
    own = known is None or known.freshness == freshness
    begun_anew = own and known is not None and freshness > 0 and known.finished is None
    if known is not None and reuse == "measured":
        # How many are under way at once changes how the answers vary.
        begun_anew &= known.generation.get("concurrency") == planned.generation.concurrency
    if reuse == "nothing" or (reuse != "stored" and not begun_anew):
        return Job(planned, folder, freshness=freshness + 1, anew=True)
    others = [
        other
        for other, header in runs
        if header.freshness == freshness and other.path != folder.path
    ]
    held = _held(planned, folder) if own else _Held()
    taken = _take_over(planned, held, others)
    if taken:
        with folder.writing(anew=not own) as journal:
            if known is not None and not own:  # what the folder holds from now on is as fresh
                folder.write_header(known.begun_again(freshness))
            for attempt in _copies(taken):
                journal.append(attempt.model_dump_json(exclude_none=True))
        held = _held(planned, folder)
    oldest = _oldest(project, folder, held.origins)
    return Job(planned, folder, held.keys, freshness, anew=not own and not taken, oldest=oldest)


@dataclass(frozen=True, slots=True)
class _Held:
    """The answers of a plan that a journal holds: their keys, and the runs they come from."""

    keys: Set[str] = frozenset()
    origins: Set[str | None] = frozenset()


@dataclass(frozen=True, slots=True)
class _Taken:
    """Answers of another run."""

    name: str
    attempts: Stored[Attempt]
    keys: Sequence[str]


def _held(planned: Plan, folder: RunFolder) -> _Held:
    attempts = folder.attempts()
    keys = {
        key for key in planned.asks.each_key() if key in attempts and key not in attempts.failed
    }
    return _Held(keys, attempts.origins if keys else frozenset())


def _take_over(planned: Plan, held: _Held, others: Sequence[RunFolder]) -> list[_Taken]:
    """Answers in other runs to what is not held.

    The keys are digests of all that an answer depends on, so an answer found under one is the
    answer; failures are never taken over.
    """
    missing = {key for key in planned.asks.each_key() if key not in held.keys}
    found = []
    for other in others:
        if not missing:
            break
        attempts = other.attempts()
        keys = [key for key in attempts if key in missing and key not in attempts.failed]
        if keys:
            found.append(_Taken(other.path.name, attempts, keys))
            missing.difference_update(keys)
    return found


def _copies(taken: Sequence[_Taken]) -> Iterator[Attempt]:
    """The answers, each marked with the run that asked for it."""
    for each in taken:
        for key in each.keys:
            attempt = each.attempts[key]
            origin = attempt.reused_from or each.name
            yield attempt.model_copy(update={"reused_from": origin})


def _oldest(project: Project, folder: RunFolder, origins: Set[str | None]) -> str | None:
    names = {origin or folder.path.name for origin in origins}
    headers = (RunFolder(project.runs / name).header() for name in names)
    return min((header.created for header in headers if header is not None), default=None)
