"""What the log of gates says of the gate at hand: how often it was tried, and what was changed."""

from __future__ import annotations

from harness.config import Project
from harness.files import digest_json
from harness.gate.changes import Earlier, change_warnings, earlier_versions
from harness.gate.history import past_gate
from harness.gate.looks import earlier_looks, look_warning
from harness.records.comparison import ComparisonRecord
from harness.records.history import Asked, Asking, PastGate, Promotion
from harness.records.run import RunRecord
from harness.records.verdict import EvidenceWarning, Verdict
from harness.session.context import GateContext
from harness.storage import RunFolder
from harness.storage.working_files import kept_gates


def entry_of(
    context: GateContext,
    verdict: Verdict,
    comparison: ComparisonRecord,
    promotion: Promotion | None = None,
) -> PastGate:
    """The gate as its log keeps it.

    Raises:
        StorageError: the header of a run cannot be read.
        JournalError: it is damaged.
    """
    identity = comparison.candidate.header.identity
    asked = Asked(
        # A server that is up to date is the same candidate's.
        identity=digest_json(identity.model_dump(mode="json", exclude={"server_version"})),
        candidate=_first_asked(context.project, comparison.candidate),
        baseline=_first_asked(context.project, comparison.baseline),
    )
    return past_gate(
        verdict, comparison, context.suites, promotion, asked=asked, policy=context.policy
    )


def _first_asked(project: Project, run: RunRecord) -> Asking:
    """The asking that the first of the run's answers is from, whichever run took them over."""
    others = {attempt.reused_from for attempt in run.attempts} - {None}
    headers = (RunFolder(project.runs / str(name)).header() for name in others)
    moments = [header.created for header in headers if header is not None]
    return Asking(began=min([run.header.created, *moments]), freshness=run.header.freshness)


def looks_before(project: Project, now: PastGate) -> tuple[PastGate, ...]:
    """The earlier looks at the candidate of a gate, the oldest first.

    Raises:
        JournalError: the log of gates is damaged.
        StorageError: it cannot be read.
    """
    return earlier_looks(kept_gates(project.gates), now)


def warnings_of_past(
    project: Project, now: PastGate, comparison: ComparisonRecord
) -> tuple[EvidenceWarning, ...]:
    """What is to be told of the gate's past; it decides nothing.

    Raises:
        JournalError: the log of gates is damaged.
        StorageError: it cannot be read.
    """
    gates = kept_gates(project.gates)
    versions = [
        Earlier(gate, _run(project, gate.verdict.candidate_run))
        for gate in earlier_versions(gates, now)
    ]
    return (
        *look_warning(earlier_looks(gates, now), now),
        *change_warnings(versions, now, comparison.candidate),
    )


def _run(project: Project, name: str) -> RunRecord | None:
    """The finished run of that name, None where there is none."""
    folder = RunFolder(project.runs / name)
    header = folder.header()
    return None if header is None or header.finished is None else folder.load()
