"""Rescore: runs from stored answers alone, under the suites as they are now."""

from __future__ import annotations

from collections.abc import Sequence

from harness.clock import SYSTEM_CLOCK
from harness.config import Project
from harness.errors import EvidenceError
from harness.records.run import Run, RunHeader
from harness.records.suite import Suite
from harness.run.plan import Selection, plan
from harness.run.provenance import header
from harness.run.resume import Job, resume
from harness.storage import runs_of
from harness.storage.mirror import Mirror
from harness.targets.identity import is_still


def rescore(
    project: Project,
    targets: Sequence[str],
    suites: Sequence[Suite],
    selection: Selection | None = None,
) -> dict[str, Run]:
    """The targets' runs by name, from stored answers: nothing is asked, no model's file read.

    A target is taken for what it was in its newest finished run that still fits its configuration.
    Answers are found by content, so a changed expectation is scored anew, and a changed prompt has
    no stored answer.

    Raises:
        EvidenceError: a target has no such run, or a case has no stored attempt.
    """
    return {
        target: _rescore(project, target, suites, selection) for target in dict.fromkeys(targets)
    }


def _rescore(
    project: Project, target: str, suites: Sequence[Suite], selection: Selection | None
) -> Run:
    project.target(target)
    hint = f"harness run {target}"
    mirror = Mirror.open(project.runs_url)
    mirror.fetch(
        project.runs,
        target,
        lambda header: header.finished is not None and is_still(project, target, header.identity),
    )
    headers = (header for _, header in runs_of(project.runs, target) if header.finished)
    known = next((one for one in headers if is_still(project, target, one.identity)), None)
    if known is None:
        raise EvidenceError(
            f"`{target}` has no finished run as it is configured now",
            where=str(project.runs),
            hint=hint,
        )
    planned = plan(project, target, suites, known.identity, selection)
    job = resume(project, planned)
    attempts = job.attempts()
    keys = enumerate(planned.asks.each_key())
    missing = [place for place, key in keys if key not in attempts and key not in job.done]
    if missing:
        first = planned.asks[missing[0]]
        example = f"{first.suite}/{first.section}/{first.case.id}"
        raise EvidenceError(
            f"`{target}` has no stored answer for {len(missing)} of {len(planned.asks)} cases, "
            f"{example} among them",
            hint=hint,
        )
    if job.anew() or job.taken:

        def head(begun: Job) -> RunHeader:
            fresh = header(project, begun, suites, known.adapter_proof, SYSTEM_CLOCK)
            return fresh.model_copy(update={"packages": known.packages})

        with job.writing(head):
            pass
    return job.finish(suites, SYSTEM_CLOCK)
