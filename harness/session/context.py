"""What every gate needs first: the project, its suites, its policy and its sealed baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import ValidationError

from harness.clock import SYSTEM_CLOCK, iso
from harness.config import SEALED, Project, check_sealed_name
from harness.errors import EvidenceError, UsageError
from harness.files import digest_json, read_bytes
from harness.gate.compare import compare
from harness.gate.differences import with_regressions
from harness.gate.judge import Circumstances, check_policy, doubts, gate, judge_rules, with_power
from harness.gate.rules.no_new_critical_failures import new_critical_failures
from harness.gate.seal import open_sealed
from harness.gate.stopping import LOOKS, cases_up_to, look_of_cases
from harness.labels.files import project_labels
from harness.labels.usable import usable
from harness.latency.latency_rule import latency_rules
from harness.records.base import explain
from harness.records.comparison import ComparisonRecord
from harness.records.label import Label
from harness.records.rule import Policy
from harness.records.run import RunRecord
from harness.records.suite import Suite
from harness.records.verdict import RuleResult, Verdict, VerdictHashes
from harness.report.write import VERDICT
from harness.run.plan import Selection
from harness.run.rescore import asked_of
from harness.sections.evidence import Grounds, counted, grounds
from harness.sections.section_kinds import chosen, load_suites
from harness.session.holdout import load_holdout
from harness.session.leakage import known_leaks, training_digests
from harness.session.rests_on import digests
from harness.storage import RunFolder
from harness.version import __version__


@dataclass(frozen=True, slots=True)
class GateContext:
    """A project with its suites and its policy, ready to judge."""

    project: Project
    suites: tuple[Suite, ...]
    policy: Policy
    sealed: RunRecord | None = None
    labels: tuple[Label, ...] = ()
    holdout: Suite | None = None

    @property
    def live_baseline(self) -> tuple[str, ...]:
        """The baseline's target, or nothing where it is sealed and needs no run."""
        return () if self.sealed is not None else (self.policy.baseline,)

    def folder(self, candidate: str) -> Path:
        """Where the candidate's report goes."""
        return report_folder(self.project, candidate, self.policy.baseline)

    def check_repeats(self, candidate: str, repeats: int | None) -> None:
        """Nothing, where the candidate is asked each case as often as a sealed baseline was.

        Raises:
            UsageError: it is not, so that most answers could not be paired.
        """
        if self.sealed is None:
            return
        wanted = repeats or self.project.generation(candidate).repeats
        held = int(self.sealed.header.generation["repeats"])
        if wanted != held:
            raise UsageError(
                f"`{self.policy.baseline}` holds {held} answers a case, `{candidate}` would be "
                f"asked for {wanted}",
                hint=f"--repeats {held}",
            )

    def compare(self, candidate: str, runs: Mapping[str, RunRecord]) -> ComparisonRecord:
        """The candidate against the policy's baseline, sealed or among the runs.

        What Python tests recorded is part of it as far as it still counts, and so is what people
        said of these answers, and what of the suites stands in the training data of the two.
        """
        baseline = self.sealed if self.sealed is not None else runs[self.policy.baseline]
        now = self.grounds(runs)
        sides = (counted(runs[candidate], now), counted(baseline, now))
        found = usable(self.labels, self.suites, sides, self.project.config.targets)
        if self.policy.sequential and self.sealed is not None:
            sides = sides[0], asked_of(sides[1], sides[0])
        compared = compare(
            *sides, self.suites, weigh=self.policy.weigh, looks=self.policy.sequential
        )
        return replace(
            compared,
            candidate_labels=found.by_run[0],
            baseline_labels=found.by_run[1],
            labels_left_out=found.left_out,
            leakage=known_leaks(
                self.project, self.suites, compared, sealed=self.sealed is not None
            ),
        )

    def up_to_look(
        self, candidate: str, selection: Selection, asked: Mapping[str, int]
    ) -> Selection:
        """The selection up to the look that `asked` gives each `suite.section`.

        It is the selection itself where that leaves nothing out.
        """
        look_of = look_of_cases(self.suites, self.project.generation(candidate).seed)
        only = cases_up_to(self.suites, look_of, asked)
        if sum(map(len, only.values())) == len(look_of):
            return selection
        return replace(selection, only=only, look=f"{max(asked.values())} of {LOOKS}")

    def grounds(self, runs: Mapping[str, RunRecord]) -> Grounds:
        """What Python tests may rest on beside their target, as it is now."""
        baseline = self.sealed if self.sealed is not None else runs[self.policy.baseline]
        return grounds(self.project, baseline.header)

    def doubts(self, comparison: ComparisonRecord) -> tuple[str, ...]:
        """Every reason not to trust the comparison."""
        return doubts(comparison, self.policy)

    def trusted(self, comparison: ComparisonRecord) -> ComparisonRecord:
        """The comparison, where nothing speaks against its evidence.

        Raises:
            EvidenceError: something does.
        """
        found = self.doubts(comparison)
        if found:
            more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
            hint = f"harness gate {comparison.candidate.header.target}"
            raise EvidenceError(f"{found[0]}{more}", hint=hint)
        return comparison

    def has_latency_rules(self, places: Sequence[int]) -> bool:
        """Whether one of the rules at these places of the policy is on latency."""
        on_latency = latency_rules(self.policy)
        return any(self.policy.rules[place] in on_latency for place in places)

    def rule_results(self, comparison: ComparisonRecord) -> tuple[RuleResult, ...]:
        """The result of every rule by itself; none where the evidence cannot be trusted."""
        return () if self.doubts(comparison) else judge_rules(comparison, self.policy)

    def new_failures(self, comparison: ComparisonRecord) -> dict[str, tuple[str, ...]]:
        """The paths of newly failing cases by `suite.section`; the critical ones by `critical`."""
        found: dict[str, dict[str, None]] = {}
        for case in comparison.cases:
            if case.change == "new_failure":
                found.setdefault(f"{case.suite}.{case.section}", {})[case.path] = None
        critical = new_critical_failures(comparison)
        by_section = {name: tuple(paths) for name, paths in found.items()}
        return {**by_section, "critical": critical} if critical else by_section

    def circumstances(self, comparison: ComparisonRecord) -> Circumstances:
        """What a verdict on the comparison is bound to, as things are now."""
        return Circumstances(
            baseline=self.policy.baseline,
            hashes=VerdictHashes(
                suites=digest_json({suite.name: suite.digest for suite in self.suites}),
                config=self.project.digest,
                candidate=comparison.candidate.digest(),
                baseline=comparison.baseline.digest(),
                rests_on=digests(
                    self.project,
                    (comparison.candidate.header.target, *self.live_baseline),
                    self.suites,
                    self.policy,
                    (*comparison.candidate_labels, *comparison.baseline_labels),
                    self.holdout,
                )
                | training_digests(comparison.leakage),
            ),
            harness_version=__version__,
            created=iso(SYSTEM_CLOCK.utc()),
        )

    def judge(self, comparison: ComparisonRecord) -> Verdict:
        """The policy's verdict on the comparison, with what informs and decides nothing."""
        verdict = gate(comparison, self.policy, self.circumstances(comparison))
        if verdict.problems:
            return verdict
        return with_regressions(with_power(verdict, comparison, self.policy), comparison)

    def given_again(self, verdict: Verdict, comparison: ComparisonRecord) -> Verdict:
        """The verdict on the comparison of a stored one, with what no comparison tells from there.

        That is the noise, measured apart from these records and perhaps once more since then, the
        warnings of past gates, and what the holdout suite said.
        """
        again = self.judge(comparison).model_copy(update={"created": verdict.created})
        again = again.with_holdout(verdict.holdout)
        return again.with_noise(verdict.noise_by_metric()).with_warnings(verdict.of_the_past)

    def stored_verdict(self, candidate: str) -> Verdict:
        """The verdict that an earlier `harness gate` wrote.

        Raises:
            UsageError: there is none, or it was broken off.
            EvidenceError: the file is damaged.
        """
        path = self.folder(candidate) / VERDICT
        data = read_bytes(path)
        if data is None:
            raise UsageError("no verdict there", where=str(path), hint=f"harness gate {candidate}")
        try:
            verdict = Verdict.model_validate_json(data)
        except ValidationError as error:
            raise EvidenceError(explain(error), where=str(path)) from None
        if verdict.partial:
            raise UsageError(
                f"there is no verdict yet: {verdict.reason}",
                where=str(path),
                hint=f"`harness gate {candidate}` asks for the rest",
            )
        if (verdict.candidate, verdict.baseline) != (candidate, self.policy.baseline):
            raise EvidenceError(
                f"is about `{verdict.candidate}` against `{verdict.baseline}`",
                where=str(path),
                hint=f"harness gate {candidate}",
            )
        return verdict

    def judged_runs(self, verdict: Verdict) -> dict[str, RunRecord]:
        """The runs that a stored verdict speaks of, by target; a sealed baseline is not among them.

        Raises:
            EvidenceError: a run is gone, or is another target's.
        """
        names = {verdict.candidate: verdict.candidate_run}
        names |= dict.fromkeys(self.live_baseline, verdict.baseline_run)
        runs = {
            target: RunFolder(self.project.runs / name).load() for target, name in names.items()
        }
        for target, run in runs.items():
            if run.header.target != target:
                raise EvidenceError(
                    f"is no run of `{target}`",
                    where=str(self.project.runs / names[target]),
                    hint=f"harness gate {verdict.candidate}",
                )
        return runs


def report_folder(project: Project, candidate: str, baseline: str) -> Path:
    """Where the report on a candidate against a baseline goes."""
    return project.reports / f"{candidate}-vs-{baseline.replace(':', '-')}"


def open_context(
    project: Project,
    candidates: Sequence[str],
    baseline: str | None,
    suite_names: tuple[str, ...],
    policy: Policy | None = None,
) -> GateContext:
    """The context in which candidates are judged, by the project's policy unless one is given.

    Raises:
        UsageError: a name that does not exist, a candidate that is its own baseline or judge, or a
            file of labels that cannot be read.
    """
    everything = load_suites(project)
    suites = chosen(everything, suite_names)
    policy = policy or project.policy()
    if baseline is not None:
        policy = policy.model_copy(update={"baseline": baseline})
    check_policy(policy, everything, project.place)
    for candidate in candidates:
        project.target(candidate)
        if candidate == policy.baseline:
            raise UsageError(
                f"`{candidate}` is the baseline itself", hint="name another target as candidate"
            )
        for suite in suites:
            for section in suite.sections:
                if candidate in section.asks:  # said before anything is asked and paid for
                    raise UsageError(
                        f"{suite.name}.{section.name} asks the candidate `{candidate}` to judge",
                        hint="name another target there",
                    )
    sealed = sealed_run(project, suites, policy.baseline)
    holdout = load_holdout(project, policy, everything)
    return GateContext(project, suites, policy, sealed, project_labels(project), holdout)


def sealed_run(project: Project, suites: Sequence[Suite], baseline: str) -> RunRecord | None:
    """The sealed run that the baseline names, or None where it names a target.

    Raises:
        UsageError: there is no such target or baseline.
        EvidenceError: a file of the baseline is damaged, was edited, or is of another suite.
    """
    if not baseline.startswith(SEALED):
        project.target(baseline)
        return None
    try:
        check_sealed_name(baseline)
    except ValueError as error:
        raise UsageError(str(error)) from None
    return open_sealed(baseline.removeprefix(SEALED), suites, project.baselines)
