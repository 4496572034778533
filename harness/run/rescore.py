"""Runs from stored answers alone: rescored as of now, or restricted_run to some of their suites."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from harness.clock import SYSTEM_CLOCK
from harness.config import Project
from harness.errors import EvidenceError
from harness.records.attempt import Attempt, Score
from harness.records.plan import PlannedRequest
from harness.records.run import LOOK, RunHeader, RunRecord
from harness.records.suite import Suite
from harness.run.plan import Selection, plan
from harness.run.provenance import header
from harness.run.resume import Job, resume
from harness.run.score import fingerprint, score
from harness.storage import runs_of
from harness.storage.mirror import Mirror
from harness.targets.identity import is_still


def rescore(
    project: Project,
    targets: Sequence[str],
    suites: Sequence[Suite],
    selection: Selection | None = None,
) -> dict[str, RunRecord]:
    """The targets' runs by name, from stored answers: nothing is asked, no model's file read.

    A target's identity is that of its newest finished run that still fits its configuration.
    Answers are found by content: a changed expectation is scored again, and a changed prompt has
    no stored answer.

    Raises:
        EvidenceError: a target has no such run, or a case has no stored attempt.
    """
    names = dict.fromkeys(targets)
    hint = f"`harness run {' '.join(names)}` asks for what is missing"
    return {target: _rescore(project, target, suites, selection, hint) for target in names}


def _rescore(
    project: Project,
    target: str,
    suites: Sequence[Suite],
    selection: Selection | None,
    hint: str,
) -> RunRecord:
    project.target(target)

    def fits(header: RunHeader) -> bool:
        return header.finished is not None and is_still(project, target, header.identity)

    Mirror.open(project.runs_url).fetch(project.runs, target, fits)
    known = next((one for _, one in runs_of(project.runs, target) if fits(one)), None)
    if known is None:
        raise EvidenceError(
            f"`{target}` has no finished run as it is configured now",
            where=str(project.runs),
            hint=hint,
        )
    planned = plan(project, target, suites, known.identity, selection)
    job = resume(project, planned)
    attempts = job.attempts()
    keys = enumerate(planned.requests.each_key())
    missing = [place for place, key in keys if key not in attempts and key not in job.done]
    if missing:
        raise EvidenceError(
            f"`{target}` has no stored answer for {len(missing)} of {len(planned.requests)} cases, "
            f"{planned.requests[missing[0]].path} among them",
            hint=hint,
        )
    if job.anew() or job.taken:

        def head(begun: Job) -> RunHeader:
            fresh = header(project, begun, suites, known.adapter_proof, SYSTEM_CLOCK)
            return fresh.model_copy(update={"packages": known.packages})

        with job.writing(head):
            pass
    return job.finish(suites, SYSTEM_CLOCK)


def restricted_run(run: RunRecord, suites: Sequence[Suite]) -> RunRecord:
    """The run restricted to the given suites, scored by the present scorers.

    Stored scores stand where the scorers are known to be those that gave them, and those of Python
    tests always do.
    """
    names = {suite.name for suite in suites}
    attempts = tuple(item for item in run.attempts if item.suite in names)
    recorded = tuple(item for item in run.recorded if item.score.suite in names)
    taken = tuple(item for item in run.taken if item.suite in names)
    scorers = fingerprint(suites)
    if scorers is not None and scorers == run.header.scorers:
        scores = tuple(item for item in run.scores if item.suite in names)
    else:
        again = scored_again(suites, {item.key: item for item in attempts})
        scores = (*again, *(item.score for item in recorded))
    header = header_on(run.header, names)
    # What was asked of these suites alone is no part of them.
    chosen = {name: value for name, value in header.selection.items() if name != "suite"}
    header = header.model_copy(update={"selection": chosen})
    return replace(
        run, header=header, attempts=attempts, scores=scores, recorded=recorded, taken=taken
    )


def asked_of(run: RunRecord, other: RunRecord) -> RunRecord:
    """The run without the answers to cases that another was not asked, up to the same look.

    What Python tests recorded stays, and so does a run whose other was asked everything.
    """
    if LOOK not in other.header.selection:
        return run
    wanted = {(one.place, one.case, one.repeat) for one in other.scores}
    kept = {one.score.key for one in run.recorded}
    scores = tuple(
        one for one in run.scores if one.key in kept or (one.place, one.case, one.repeat) in wanted
    )
    kept |= {one.key for one in scores}
    count = Counter(one.place for one in scores)
    sections = tuple(
        each.model_copy(update={"planned": count[each.suite, each.section]})
        for each in run.header.sections
        if count[each.suite, each.section]
    )
    update = {
        "sections": sections,
        "planned": sum(each.planned for each in sections),
        "selection": other.header.selection,
        "summary": None,
    }
    return replace(
        run,
        header=run.header.model_copy(update=update),
        attempts=tuple(one for one in run.attempts if one.key in kept),
        scores=scores,
    )


def header_on(header: RunHeader, names: set[str]) -> RunHeader:
    """The header of a run as if it had been on these suites alone; its summary is to be made."""
    sections = tuple(section for section in header.sections if section.suite in names)
    return header.model_copy(
        update={
            "sections": sections,
            "planned": sum(section.planned for section in sections),
            "suites": {name: digest for name, digest in header.suites.items() if name in names},
            "system_prompts": {
                name: prompt for name, prompt in header.system_prompts.items() if name in names
            },
            "summary": None,
        }
    )


def scored_again(suites: Sequence[Suite], attempts: Mapping[str, Attempt]) -> Iterator[Score]:
    """The scores of stored attempts, without those whose case the suites do not have."""
    cases = {
        (suite.name, section.name, case.id): case
        for suite in suites
        for section in suite.asked
        for case in section.cases
    }
    # A case that a suite of another version lacks is noticed when runs are compared.
    requests = [
        PlannedRequest(item.key, *item.place, case, item.repeat, case.messages, 0)
        for item in attempts.values()
        if (case := cases.get((*item.place, item.case))) is not None
    ]
    return (found for found, _ in score(suites, requests, attempts))
