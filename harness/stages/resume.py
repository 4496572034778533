"""Resume: what of a plan is already answered, and what is left to ask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.clock import Clock, iso
from harness.config import Project
from harness.journal import RunFolder, reusable
from harness.records.attempt import Attempt
from harness.records.plan import Ask, Plan
from harness.records.run import Run
from harness.records.suite import Suite
from harness.stages.score import score


@dataclass(frozen=True, slots=True)
class Job:
    """One target's plan, the folder of its records, and the answers it has by key.

    `anew` says that the folder's journal is to be set aside, since everything is asked again.
    """

    plan: Plan
    folder: RunFolder
    done: dict[str, Attempt]
    anew: bool = False

    @property
    def pending(self) -> list[Ask]:
        """The asks that have no answer yet, failed ones among them."""
        return [ask for ask in self.plan.asks if ask.key not in self.done]

    def finish(self, suites: Sequence[Suite], clock: Clock) -> Run:
        """The run, scored anew from its attempts and marked as finished."""
        scores = score(suites, self.plan.asks, self.folder.attempts())
        self.folder.finish(scores, iso(clock.utc()))
        return self.folder.load()


def resume(project: Project, planned: Plan, *, reuse: bool = True) -> Job:
    """The plan with the answers that its own journal and, to `reuse`, other runs hold.

    Raises:
        JournalError: a journal is damaged, or another process is writing this run.
    """
    folder = RunFolder(project.runs / planned.run_id)
    keys = {ask.key for ask in planned.asks}
    done = {
        key: attempt
        for key, attempt in folder.attempts().items()
        if key in keys and attempt.status == "answered"
    }
    wanted = keys - done.keys()
    found = reusable(project.runs, planned.target, wanted, but=folder.path) if reuse else {}
    if found:
        with folder.writing() as journal:
            for attempt in found.values():
                journal.append(attempt.model_dump_json(exclude_none=True))
    return Job(planned, folder, done | found)


def afresh(project: Project, planned: Plan) -> Job:
    """The plan without any answer: all of it is to be asked again."""
    return Job(planned, RunFolder(project.runs / planned.run_id), {}, anew=True)
