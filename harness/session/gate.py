"""The gate's one transaction: open, get the evidence, judge, write the report, keep the gate."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

from harness.config import WORKING, Project
from harness.errors import EvidenceError, InfrastructureError, PromotionRefused
from harness.files import seen_from
from harness.gate.judge import next_look
from harness.gate.stopping import first_look
from harness.latency.latency_rule import latency_rules
from harness.latency.measure import Contest
from harness.records.comparison import ComparisonRecord
from harness.records.history import PastGate
from harness.records.run import RunRecord, Watcher
from harness.records.verdict import RuleResult, Verdict
from harness.report.formats import count
from harness.report.write import HTML, keep_earlier, set_aside, write_report
from harness.run.plan import Selection
from harness.run.ray_cluster import RayCluster
from harness.run.rescore import rescore
from harness.run.resume import Reuse
from harness.sections.evaluate import Evaluation, report_unfinished, with_results
from harness.sections.work import GateSide
from harness.session.asked_alike import check_asked_alike
from harness.session.context import GateContext, open_context, report_folder
from harness.session.holdout import holdout_policy, holdout_result
from harness.session.ledger import check_ledger
from harness.session.measurements import contest, live_target, measured, with_noise, with_section
from harness.session.partial import write_partial
from harness.session.past_gates import entry_of, warnings_of_past
from harness.storage.journal_chain import JournalLog
from harness.storage.working_files import keep_gate
from harness.targets.candidates import find_training
from harness.targets.connection import keep_servers

HELD = f"{WORKING}/holdout"


@dataclass(frozen=True, slots=True)
class GateRequest:
    """Which candidate is judged, against what, and on which answers.

    With `stored` no server is asked; with `no_cache` everything is asked again.
    """

    candidate: str
    baseline: str | None = None
    selection: Selection = field(default_factory=Selection)
    stored: bool = False
    no_cache: bool = False


@dataclass(frozen=True, slots=True)
class GateOutcome:
    """A verdict, the comparison that it was given on, and what the gate log keeps of both."""

    comparison: ComparisonRecord
    verdict: Verdict
    entry: PastGate


@contextmanager
def open_gate(project: Project, request: GateRequest, watcher: Watcher) -> Iterator[GateSession]:
    """The session in which one candidate is judged, by the project's policy.

    Raises:
        UsageError: a name that does not exist, two targets that cannot be measured against each
            other, other repeats than the sealed baseline has, or what the ledger gave to the other
            side.
        ConfigError: there is no policy, or a rule of it cannot be judged.
        EvidenceError: the sealed baseline cannot be trusted, or the configuration has the two
            asked differently.
    """
    candidate, selection = request.candidate, request.selection
    baseline = request.baseline or project.policy().baseline
    try:
        context = open_context(project, [candidate], baseline, selection.suites)
        check_ledger(project, context.suites, (candidate, *context.live_baseline))
        if not request.stored:
            check_asked_alike(context, candidate)
        check_latency(context, candidate)
        holdout_context(context)
        context.check_repeats(candidate, selection.repeats)
    except (EvidenceError, InfrastructureError):
        set_aside(report_folder(project, candidate, baseline))
        raise
    session = GateSession(
        context,
        {candidate: selection},
        watcher,
        stored=request.stored,
        no_cache=request.no_cache,
    )
    try:
        with session, keep_servers((*context.live_baseline, candidate)):
            yield session
    except KeyboardInterrupt:
        for folder in session.partial.values():
            watcher.say(f"partial report: {seen_from(Path.cwd(), folder / HTML)}")
        raise


class GateSession:
    """Gets the evidence on candidates, judges them, writes their reports, keeps their gates.

    As a context it sees to the reports of all `selections`' candidates: an error of the evidence
    or of the infrastructure sets them aside, for what it leaves behind must not look like a verdict
    of today. Ctrl-C replaces them by partial ones, unless only stored answers are judged;
    `partial` then says where they are. The gate began when the log of journals was `since` bytes
    long, now unless it is told.
    """

    def __init__(
        self,
        context: GateContext,
        selections: Mapping[str, Selection],
        watcher: Watcher,
        *,
        stored: bool = False,
        no_cache: bool = False,
        since: int | None = None,
    ) -> None:
        self.context = context
        self.partial: dict[str, Path] = {}
        self._selections = dict(selections)
        self._watcher = watcher
        self._stored, self._no_cache = stored, no_cache
        # What was written to a journal before is a stored answer.
        self._log_size = JournalLog(context.project.runs).size if since is None else since

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, EvidenceError | InfrastructureError):
            self.remove_reports()
        elif isinstance(error, KeyboardInterrupt):
            self.write_partial_reports()

    def remove_reports(self) -> None:
        """Set aside what earlier gates reported on the candidates.

        Raises:
            StorageError: a file cannot be moved.
        """
        for candidate in self._selections:
            set_aside(self.context.folder(candidate))

    def write_partial_reports(self) -> None:
        """Write for each candidate a report on what is answered so far, and add it to `partial`."""
        for candidate, selection in () if self._stored else self._selections.items():
            folder = write_partial(self.context, candidate, selection, self._reuse)
            if folder is not None:
                self.partial[candidate] = folder

    def run(self, candidate: str, cluster: RayCluster | None = None) -> GateOutcome:
        """The outcome of the whole gate: what is missing is asked, or everything read again."""
        return self.judge(self.evidence(candidate, cluster))

    def evidence(self, candidate: str, cluster: RayCluster | None = None) -> ComparisonRecord:
        """The candidate against the baseline, with the latency that the policy's rules ask for.

        What is missing is asked first, and pytest runs what there is of Python tests; where
        everything is stored, no server is asked.

        Raises:
            UsageError: a file, model or stored measurement does not exist.
            EvidenceError: an adapter has no effect, or a stored answer or a score is missing.
            InfrastructureError: a server cannot be started or reached, or is gone for good, or
                pytest does not get to its end.
        """
        context, whole = self.context, self._selections[candidate]
        if not context.policy.sequential:
            return self.with_latency(self._answered(candidate, whole, self._reuse, cluster))
        reuse, asked = self._reuse, None
        wanted: Mapping[str, int] | None = first_look(context.suites)
        while wanted is not None and wanted != asked:
            asked = wanted
            part = context.up_to_look(candidate, whole, asked)
            self._selections[candidate] = part
            if part.look:
                self._watcher.say(
                    f"look {part.look}: {count(sum(map(len, part.only.values())))} cases"
                )
            found = self._answered(candidate, part, reuse, cluster)
            wanted, reuse = next_look(found, context.policy), "stored"
        return self.with_latency(found)

    def _answered(
        self, candidate: str, selection: Selection, reuse: Reuse, cluster: RayCluster | None
    ) -> ComparisonRecord:
        context = self.context
        project, suites, watcher = context.project, context.suites, self._watcher
        targets = (*context.live_baseline, candidate)
        if self._stored:
            runs = rescore(project, targets, suites, selection)
            return self.compare([candidate], runs)[candidate]
        asked = Evaluation(project, suites, watcher, selection, reuse, cluster)
        runs = asked.run(targets)
        log = context.folder(candidate).name
        side = GateSide(context.policy.baseline, suites, log, context.sealed)
        runs = with_results(asked, runs, side, context.grounds(runs))
        return context.compare(candidate, runs)

    def compare(
        self, candidates: Iterable[str], runs: Mapping[str, RunRecord]
    ) -> dict[str, ComparisonRecord]:
        """Each candidate against the baseline, from stored runs.

        The watcher hears of sections that are judged by an older session than their newest, which
        did not end.
        """
        context = self.context
        now = context.grounds(runs)
        report_unfinished(context.project, context.suites, runs, now, self._watcher)
        return {name: context.compare(name, runs) for name in candidates}

    def with_latency(self, comparison: ComparisonRecord) -> ComparisonRecord:
        """The comparison with what rules on latency are judged by, measured where needed.

        Raises:
            UsageError: there is no stored measurement, or the server refuses a prompt.
            EvidenceError: the candidate's adapter has no effect, or vanishes.
            ServerError: the server does not start, refuses, or is gone.
        """
        context = self.context
        if not latency_rules(context.policy) or context.doubts(comparison):
            # Where the answers cannot be trusted, nothing would be made of a measurement.
            return comparison
        wanted = _contest(context, comparison.candidate.header.target)
        project, watcher = context.project, self._watcher
        section = measured(project, wanted, watcher, stored=self._stored, anew=self._no_cache)
        return with_section(comparison, section, project)

    def judge(self, comparison: ComparisonRecord) -> GateOutcome:
        """The verdict on the comparison; its report is written, and it is kept among past gates.

        Raises:
            StorageError: the report cannot be written.
        """
        context, say = self.context, self._watcher.say
        verdict = context.judge(comparison)
        if verdict.verdict == "PROMOTE":
            verdict = verdict.with_holdout(self.holdout(comparison))
        verdict = with_noise(context.project, verdict, comparison.baseline, say)
        entry = entry_of(context, verdict, comparison)
        verdict = verdict.with_warnings(
            warnings_of_past(context.project, entry, comparison, self._log_size)
        )
        folder = context.folder(verdict.candidate)
        keep_earlier(folder, verdict)
        training = find_training(context.project, comparison.candidate.header)
        write_report(verdict, comparison, folder, training)
        entry = entry_of(context, verdict, comparison)
        keep_gate(context.project.gates, entry)
        return GateOutcome(comparison, verdict, entry)

    def holdout(self, comparison: ComparisonRecord) -> RuleResult | None:
        """What the policy's holdout suite says of the candidate, None where there is none.

        Its answers are kept apart, where no report finds them.

        Raises:
            EvidenceError: an adapter has no effect, or stored answers are missing.
            InfrastructureError: a server cannot be started or reached, or is gone for good.
        """
        context = holdout_context(self.context)
        if context is None:
            return None
        header = comparison.candidate.header
        part = Selection(repeats=int(header.generation["repeats"]))
        session = GateSession(
            context,
            {header.target: part},
            self._watcher,
            stored=self._stored,
            no_cache=self._no_cache,
        )
        try:
            found = session.evidence(header.target)
        except EvidenceError:
            if not self._stored:
                raise
            raise EvidenceError(
                f"the holdout has no stored answers of `{header.target}` and "
                f"`{context.policy.baseline}` as they are now",
                hint=f"harness gate {header.target}",
            ) from None
        return holdout_result(context.judge(found), found)

    @property
    def _reuse(self) -> Reuse:
        return "begun" if self._no_cache else "stored"


def holdout_context(context: GateContext) -> GateContext | None:
    """The context in which candidates are judged on the holdout suite, None where there is none.

    A sealed baseline has no answers to it; the target that it was sealed from stands for it.

    Raises:
        EvidenceError: that target is no longer what was sealed.
    """
    project, policy, held = context.project, context.policy, context.holdout
    if held is None:
        return None
    baseline = live_target(project, policy.baseline, context.suites)
    policy = holdout_policy(policy, held).model_copy(update={"baseline": baseline})
    config = project.config.model_copy(update={"suites": (context.policy.holdout,), "gate": policy})
    apart = replace(project, config=config, working=HELD)
    return GateContext(apart, (held,), policy, None, context.labels)


def check_holdout(
    context: GateContext, verdict: Verdict, comparison: ComparisonRecord, watcher: Watcher
) -> None:
    """Nothing, where the holdout's stored answers lead to what the verdict says of them.

    Raises:
        PromotionRefused: they do not, or the holdout was not asked.
        EvidenceError: they are gone.
    """
    found = GateSession(context, {}, watcher, stored=True).holdout(comparison)
    if found != verdict.holdout:
        said = "was not asked" if verdict.holdout is None else "says something else now"
        raise PromotionRefused(
            f"the holdout {said}", hint=f"run `harness gate {verdict.candidate}` again"
        )


def check_latency(context: GateContext, candidate: str) -> None:
    """Nothing, where the candidate's latency can be measured if the policy has rules on it.

    Raises:
        UsageError: the two cannot be measured against each other.
        EvidenceError: the sealed baseline's target is no longer what was sealed.
    """
    if latency_rules(context.policy):
        _contest(context, candidate)  # what cannot be measured is said before anything is asked


def _contest(context: GateContext, candidate: str) -> Contest:
    project = context.project
    return contest(project, candidate, context.policy.baseline, project.config.latency)
