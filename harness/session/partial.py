"""A report on what is answered so far, where a gate was broken off."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from harness.clock import SYSTEM_CLOCK
from harness.errors import HarnessError
from harness.event_loop import run_async
from harness.records.run import RunRecord
from harness.records.verdict import BROKEN_OFF
from harness.report.formats import count
from harness.report.write import set_aside, write_report
from harness.run.plan import Selection, plan
from harness.run.provenance import header
from harness.run.resume import Reuse, resume
from harness.run.score import score
from harness.session.context import GateContext
from harness.targets.identity import identify


def write_partial(
    context: GateContext, candidate: str, selection: Selection, reuse: Reuse = "stored"
) -> Path | None:
    """The folder of a report on what is answered so far, None where nothing is.

    Its verdict is INVALID, whatever the answers are, and its first problem says why. No verdict of
    an earlier gate stays there. Nothing is asked, but for what a server says of itself.
    """
    folder = context.folder(candidate)
    try:
        set_aside(folder)
        names = (*context.live_baseline, candidate)
        found = {name: _so_far(context, name, selection, reuse) for name in names}
        runs = {name: run for name, (run, _) in found.items()}
        attempts = [attempt for run in runs.values() for attempt in run.attempts]
        answered = sum(attempt.status == "answered" for attempt in attempts)
        if not answered:
            return None
        planned = sum(requests for _, requests in found.values())
        problem = f"{BROKEN_OFF}{count(answered)} of {count(planned)} answered"
        compared = context.compare(candidate, runs)
        marked = replace(compared, problems=(problem, *compared.problems))
        write_report(context.judge(marked), marked, folder)
    except HarnessError:
        return None  # the interruption is reported, and no error that follows from it
    return folder


def _so_far(
    context: GateContext, target: str, selection: Selection, reuse: Reuse
) -> tuple[RunRecord, int]:
    """A run that may be under way, and how many requests it has planned."""
    identity = run_async(identify(context.project, target))
    planned = plan(context.project, target, context.suites, identity, selection)
    job = resume(context.project, planned, reuse)
    # What the job's own journal holds, and the answers of other runs that it takes over.
    taken = {one.key: one for each in job.taken for one in each.copies()}
    rows = list(score(context.suites, planned.requests, {**taken, **job.attempts()}))
    known = None if job.anew() else job.folder.header()
    found = RunRecord(
        known or header(context.project, job, context.suites, None, SYSTEM_CLOCK),
        tuple(attempt for _, attempt in rows),
        tuple(scored for scored, _ in rows),
    )
    return found, len(planned.requests)
