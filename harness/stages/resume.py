"""Resume: what of a plan is already answered, and what is left to ask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from harness.clock import Clock, iso
from harness.config import Project
from harness.journal import RunFolder, runs_of
from harness.records.attempt import Attempt
from harness.records.plan import Ask, Plan
from harness.records.run import Run
from harness.records.suite import Suite
from harness.stages.score import score

# Which answers stand instead of being asked for: all that are stored; those of the run itself where
# it was begun afresh and broken off; the same of a measurement of noise; none.
Reuse = Literal["stored", "begun", "measured", "nothing"]


@dataclass(frozen=True, slots=True)
class Job:
    """One target's plan, the folder of its records, and the answers it has by key.

    `anew` says that the folder's journal is to be set aside, since everything is asked again;
    `oldest` is when the first of the answers at hand was asked for, if there are any.
    """

    plan: Plan
    folder: RunFolder
    done: dict[str, Attempt]
    freshness: int = 0
    anew: bool = False
    oldest: str | None = None

    @property
    def pending(self) -> list[Ask]:
        """The asks that have no answer yet, failed ones among them."""
        return [ask for ask in self.plan.asks if ask.key not in self.done]

    def attempts(self) -> dict[str, Attempt]:
        """What the journal holds by key, failures among it; nothing where it is to be set aside."""
        return {} if self.anew else self.folder.attempts()

    def finish(self, suites: Sequence[Suite], clock: Clock) -> Run:
        """The run, scored anew from its attempts and marked as finished."""
        scores = score(suites, self.plan.asks, self.folder.attempts())
        self.folder.finish(scores, iso(clock.utc()))
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
        return Job(planned, folder, {}, freshness + 1, anew=True)
    keys = {ask.key for ask in planned.asks}
    done = {key: item for key, item in _answers(folder).items() if key in keys} if own else {}
    found: dict[str, Attempt] = {}
    for other, header in runs:
        if other.path != folder.path and header.freshness == freshness and keys - done.keys():
            found |= _taken(other, keys - done.keys() - found.keys())
    if found:
        with folder.writing(anew=not own) as journal:
            if known is not None and not own:  # what the folder holds from now on is as fresh
                folder.write_header(known.begun_again(freshness))
            for attempt in found.values():
                journal.append(attempt.model_dump_json(exclude_none=True))
    done |= found
    oldest = _oldest(project, folder, done)
    return Job(planned, folder, done, freshness, anew=not own and not found, oldest=oldest)


def _answers(folder: RunFolder) -> dict[str, Attempt]:
    return {key: item for key, item in folder.attempts().items() if item.status == "answered"}


def _taken(other: RunFolder, wanted: set[str]) -> dict[str, Attempt]:
    """Answers to the wanted keys in another run, each marked with the run that asked for it.

    The keys are digests of all that an answer depends on, so an answer found under one is the
    answer; failures are never taken over.
    """
    return {
        key: item.model_copy(update={"reused_from": item.reused_from or other.path.name})
        for key, item in _answers(other).items()
        if key in wanted
    }


def _oldest(project: Project, folder: RunFolder, done: Mapping[str, Attempt]) -> str | None:
    names = {item.reused_from or folder.path.name for item in done.values()}
    headers = (RunFolder(project.runs / name).header() for name in names)
    return min((header.created for header in headers if header is not None), default=None)
