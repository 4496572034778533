"""What the log of gates says of the gate at hand: how often it was tried, and what was changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from harness.clock import SYSTEM_CLOCK, iso
from harness.config import RUNS_KEY, SEALED, Project
from harness.errors import PromotionRefused
from harness.files import digest_json
from harness.gate.candidate_digest import candidate_digest
from harness.gate.changes import Earlier, change_warnings, earlier_versions
from harness.gate.history import past_gate
from harness.gate.looks import earlier_looks, look_warning
from harness.gate.wear import budget_warning, budget_words, wear, wear_warnings
from harness.records.attempt import Attempt
from harness.records.comparison import ComparisonRecord
from harness.records.history import Asked, Asking, PastGate, Promotion
from harness.records.rule import Planned
from harness.records.run import RunRecord
from harness.records.verdict import EvidenceWarning, Verdict
from harness.session.context import GateContext
from harness.storage import RunFolder
from harness.storage.authentication import runs_key
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
        # As earlier versions knew a candidate, so that their lines go on counting.
        identity=digest_json(identity.model_dump(mode="json", exclude={"server_version"})),
        model=candidate_digest(identity),
        candidate=_first_asked(context.project, comparison.candidate),
        baseline=_first_asked(context.project, comparison.baseline),
    )
    return past_gate(
        verdict, comparison, context.suites, promotion, asked=asked, policy=context.policy
    )


def _first_asked(project: Project, run: RunRecord) -> Asking:
    """The asking that the first of the run's answers is from, whichever run took them over."""
    others = {attempt.reused_from for attempt in run.attempts} - {None}
    headers = (RunFolder(project.runs / str(name)).header() for name in sorted(map(str, others)))
    known = [run.header, *(header for header in headers if header is not None)]
    first = min(known, key=lambda header: header.created)
    journal = first.chain[0].link if first.chain else None
    return Asking(began=first.created, freshness=run.header.freshness, journal=journal)


def looks_before(project: Project, now: PastGate) -> tuple[PastGate, ...]:
    """The earlier looks at the candidate of a gate, the oldest first.

    Raises:
        JournalError: the log of gates is damaged.
        StorageError: it cannot be read.
    """
    return earlier_looks(kept_gates(project.gates), now)


def wear_lines(context: GateContext, planned: Mapping[str, Planned]) -> Iterator[str]:
    """How often the suites were looked at, what that may gain, and what is left of the budget.

    Raises:
        JournalError: the log of gates is damaged.
        StorageError: it cannot be read.
    """
    policy, gates = context.policy, kept_gates(context.project.gates)
    ruled = {name for rule in policy.rules for name in rule.metrics_among(planned)}
    for suite in context.suites:
        found = wear(gates, suite.name, suite.digest, policy.baseline)
        if found.looks:
            sizes = {
                name: (planned[name].metric, planned[name].sizes.values())
                for name in planned
                if name in ruled and name in found.scores and name.startswith(f"{suite.name}.")
            }
            parts = (f"this version of {suite.name} was {found.words}", found.gap_words(sizes))
            yield "; ".join(filter(None, parts))
    if policy.budget is not None:
        yield budget_words(gates, policy.budget, iso(SYSTEM_CLOCK.utc()))


def warnings_of_past(
    project: Project, now: PastGate, comparison: ComparisonRecord, log_size: int
) -> tuple[EvidenceWarning, ...]:
    """What is to be told of the gate's past; it decides nothing.

    `log_size` is how long the log of journals was when the gate began.

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
        *wear_warnings(gates, now, comparison),
        *budget_warning(gates, now, project.policy().budget),
        *change_warnings(versions, now, comparison.candidate),
        *_stored_answers(project, now, comparison, log_size),
    )


def _stored_answers(
    project: Project, now: PastGate, comparison: ComparisonRecord, log_size: int
) -> Iterator[EvidenceWarning]:
    """How many answers of each side were there before the gate began, and from when they are."""
    assert now.asked is not None
    told = []
    sides = (
        ("candidate", comparison.candidate, now.asked.candidate),
        ("baseline", comparison.baseline, now.asked.baseline),
    )
    for role, run, asking in sides:
        if role == "baseline" and now.verdict.baseline.startswith(SEALED):
            continue
        asked = {case.score.key for case in run.recorded}
        answers = [one for one in run.attempts if one.status == "answered" and one.key not in asked]
        origins = {one.reused_from or run.header.run_id for one in answers}
        stored = {
            name: RunFolder(project.runs / name).answers_before(log_size)
            for name in origins | {run.header.run_id}
        }
        count = sum(
            one.key in stored[run.header.run_id] or _was_stored(one, stored) for one in answers
        )
        if count:
            origin = foreign_runs(project, run)
            where = f", not all in this folder ({origin[0]})" if origin else ""
            told.append(
                f"{count} of {len(answers)} of the {role}'s, the first asked at {asking.began}"
                f"{where}"
            )
    if told:
        yield EvidenceWarning(
            code="stored-answers",
            place=now.verdict.candidate,
            what=f"stored answers were used: {'; '.join(told)}",
        )


def _was_stored(answer: Attempt, before: Mapping[str, set[str]]) -> bool:
    """Whether an answer that another run asked for was there before; else this gate asked for it.

    A gate that asks in looks takes over what its own earlier looks were answered.
    """
    return answer.reused_from is not None and answer.key in before[answer.reused_from]


def foreign_runs(project: Project, run: RunRecord) -> tuple[str, ...]:
    """The runs that a run's answers come from and that were not written in this project's folder.

    None where the project has a key: what it does not authenticate is not even read.

    Raises:
        JournalError: the log of journals is damaged.
        StorageError: a file cannot be read.
    """
    if runs_key() is not None:
        return ()
    names = {one.reused_from or run.header.run_id for one in run.attempts}
    names |= {run.header.run_id}
    return tuple(sorted(name for name in names if not RunFolder(project.runs / name).written_here))


def _run(project: Project, name: str) -> RunRecord | None:
    """The finished run of that name, None where there is none."""
    folder = RunFolder(project.runs / name)
    header = folder.header()
    return None if header is None or header.finished is None else folder.load()


def check_asked_here(
    project: Project, runs: Mapping[str, RunRecord], candidate: str, *, trusted: bool
) -> tuple[str, ...]:
    """The runs whose answers come from elsewhere, where somebody has said that they are trusted.

    Raises:
        PromotionRefused: there are some, and nobody has.
    """
    found = {name: foreign_runs(project, run) for name, run in runs.items()}
    for name, foreign in found.items():
        if foreign and not trusted:
            raise PromotionRefused(
                f"answers of `{name}` were not asked for in this folder: {foreign[0]} comes from a "
                "cache, a bucket or an earlier version",
                hint=f"`harness gate {candidate} --no-cache` asks here, {RUNS_KEY} authenticates "
                "runs, --trust-stored takes them as they are",
            )
    return tuple(sorted({run for foreign in found.values() for run in foreign}))
