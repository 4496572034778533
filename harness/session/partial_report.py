"""A partial report: what is answered so far of a gate that was broken off."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from harness.clock import SYSTEM_CLOCK
from harness.errors import HarnessError
from harness.event_loop import run_async
from harness.files import seen_from
from harness.records.attempt import Attempt
from harness.records.run import Run
from harness.records.verdict import BROKEN_OFF
from harness.report.numbers import count
from harness.report.write import HTML, remove_report, write_report
from harness.run.plan import Selection, plan
from harness.run.provenance import header
from harness.run.resume import Job, Reuse, resume
from harness.run.score import score
from harness.session.evidence import Bench
from harness.targets.identity import identify


@dataclass(frozen=True, slots=True)
class _SoFar:
    """A run that may be under way, and how much of it is answered."""

    run: Run
    answered: int
    planned: int


@contextmanager
def reported_in_part(
    bench: Bench,
    candidate: str,
    selection: Selection,
    reuse: Reuse,
    say: Callable[[str], None],
) -> Iterator[None]:
    """After Ctrl-C in the block, write a partial report and say where."""
    try:
        yield
    except KeyboardInterrupt:
        folder = write_partial(bench, candidate, selection, reuse)
        if folder is not None:
            say(f"partial report: {seen_from(Path.cwd(), folder / HTML)}")
        raise


def write_partial(
    bench: Bench, candidate: str, selection: Selection, reuse: Reuse = "stored"
) -> Path | None:
    """The folder of a report on what is answered so far, None where nothing is.

    Its verdict is INVALID, whatever the answers are, and its first problem says why. No verdict of
    an earlier gate stays there. Nothing is asked, but for what a server says of itself.
    """
    folder = bench.folder(candidate)
    try:
        remove_report(folder)
        names = (*bench.live_baseline, candidate)
        found = {name: _so_far(bench, name, selection, reuse) for name in names}
        answered = sum(each.answered for each in found.values())
        if not answered:
            return None
        planned = sum(each.planned for each in found.values())
        told = f"{BROKEN_OFF}{count(answered)} of {count(planned)} answered"
        compared = bench.compare(candidate, {name: each.run for name, each in found.items()})
        marked = replace(compared, problems=(told, *compared.problems))
        write_report(bench.judge(marked), marked, folder)
    except HarnessError:
        return None  # whoever broke it off is told of that, and of nothing that follows from it
    return folder


def _so_far(bench: Bench, target: str, selection: Selection, reuse: Reuse) -> _SoFar:
    identity = run_async(identify(bench.project, target))
    planned = plan(bench.project, target, bench.suites, identity, selection)
    job = resume(bench.project, planned, reuse)
    attempts = _attempts(job)
    rows = list(score(bench.suites, planned.asks, attempts))
    known = None if job.anew() else job.folder.header()
    run = Run(
        known or header(bench.project, job, bench.suites, None, SYSTEM_CLOCK),
        tuple(attempt for _, attempt in rows),
        tuple(judged for judged, _ in rows),
    )
    answered = sum(attempt.status == "answered" for attempt in run.attempts)
    return _SoFar(run, answered, len(planned.asks))


def _attempts(job: Job) -> Mapping[str, Attempt]:
    """What the job's own journal holds, and the answers of other runs that it takes over."""
    taken = {one.key: one for each in job.taken for one in each.copies()}
    return {**taken, **job.attempts()}
