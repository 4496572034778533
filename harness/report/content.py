"""The content of a report: a verdict with its comparison, or why a gate gave none."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from harness.records.comparison import ComparisonRecord, PairedMetric
from harness.records.run import RunRecord
from harness.records.summary import Accounting, recorded_times
from harness.records.verdict import Decision, EvidenceWarning, RuleResult, Verdict
from harness.report.card import (
    FailingCases,
    SectionLabels,
    card_lines,
    failing_cases,
    label_rows,
    undetermined,
)
from harness.report.cases import CaseGroup, build_groups, repeats_of
from harness.report.latency_content import LatencyContent
from harness.report.losses import Loss, losses
from harness.report.plain import plain_sentence
from harness.report.rules import (
    cannot_fail,
    completed,
    headline,
    noise_note,
    noise_of,
    rule_name,
    scale_of,
    shortfall,
)
from harness.report.runs import SectionChanges, repeats_sentences, section_changes
from harness.report.variants import VariantRow, variant_rows
from harness.scorers.registry import get, names
from harness.visible_text import one_line

MEANING: dict[Decision, tuple[str, str]] = {
    "PROMOTE": ("✓", "The candidate may replace the baseline."),
    "BLOCK": ("✕", "The candidate must not replace the baseline."),
    "INCONCLUSIVE":
        ("?", "The evidence is too weak to decide whether the candidate may replace the baseline."),
    "INVALID": ("!", "The evidence cannot be trusted, so it says nothing about the candidate."),
}  # fmt: skip


def confidence(alpha: float) -> str:
    """The confidence of an interval with two one-sided bounds at alpha each: `90%`."""
    return f"{100 * (1 - 2 * alpha):g}%"


@dataclass(frozen=True)
class ReportContent:
    """A verdict and the comparison that it was given on, arranged once for all formats."""

    verdict: Verdict
    comparison: ComparisonRecord

    @cached_property
    def rules(self) -> tuple[RuleResult, ...]:
        """The results of the rules, with infinity for what is beyond every bound."""
        return tuple(map(completed, self.verdict.rules))

    @cached_property
    def deciding(self) -> RuleResult | None:
        """The rule that decided, None where all pass or the evidence itself cannot be trusted."""
        verdict = self.verdict
        if verdict.verdict == "INVALID" and verdict.problems:
            return None
        pairs = zip(verdict.rules, self.rules, strict=True)
        return next((rule for given, rule in pairs if given is verdict.deciding), None)

    @cached_property
    def failing(self) -> tuple[FailingCases, ...]:
        """The cases that speak against the deciding rule."""
        return () if self.deciding is None else failing_cases(self.comparison, self.deciding)

    def sentence(self, rule: RuleResult) -> str:
        """What a rule found without jargon, where that can be said, else its reason."""
        reason = one_line(rule.reason, 600).rstrip(".")
        said = self._plain(rule) or f"{reason[:1].upper()}{reason[1:]}."
        return f"{said} No candidate could fail this rule." if self.cannot_fail(rule) else said

    def cannot_fail(self, rule: RuleResult) -> bool:
        """Whether the rule passes, and a warning says that no candidate could fail it."""
        return cannot_fail(rule, self.verdict.warnings)

    @cached_property
    def plain(self) -> str:
        """Why the verdict is what it is, without jargon where that can be said."""
        return (self._plain(self.deciding) if self.deciding else "") or self.headline

    def _plain(self, rule: RuleResult) -> str:
        if rule.without_leaked is not None:
            return ""  # two sets of numbers: its own reason says which one decided
        return plain_sentence(rule, self.comparison, self.comparison.titles)

    def title(self, rule: RuleResult) -> str:
        """What the suite calls the rule's metric, else the rule's name."""
        return one_line(self.comparison.titles.get(rule.metric or "", rule_name(rule)), 120)

    @cached_property
    def labels(self) -> tuple[SectionLabels, ...]:
        """How often each label was given to the answers of each section."""
        return label_rows(self.comparison)

    @cached_property
    def undetermined(self) -> tuple[int, int]:
        """How many answers of the candidate and of the baseline no scorer could tell."""
        return undetermined(self.comparison)

    @cached_property
    def card_lines(self) -> tuple[str, ...]:
        """What the card tells beside the rules, a sentence each: critical cases, labels, changes.

        Code stands in backquotes.
        """
        return card_lines(self.verdict, self.failing, self.undetermined)

    @property
    def warnings(self) -> tuple[EvidenceWarning, ...]:
        """The warnings, first those of what was changed since earlier verdicts."""
        changed = self.verdict.changed_since
        return (*changed, *(one for one in self.verdict.warnings if one not in changed))

    @cached_property
    def headline(self) -> str:
        """Why the verdict is what it is, in one sentence."""
        if self.deciding is not None:
            return headline(self.deciding)
        return one_line(self.verdict.reason, 600)

    def warning_of(self, rule: RuleResult) -> str:
        """The warning that a margin is finer than the groups can detect; empty if INVALID."""
        return "" if self.verdict.verdict == "INVALID" else shortfall(rule)

    def noise_of(self, rule: RuleResult) -> str:
        """The noise of the rule's metric; empty where no metric has any noise."""
        return noise_of(rule) if any(each.noise for each in self.rules) else ""

    @cached_property
    def losses(self) -> tuple[Loss, ...]:
        """What the failing rules found lost, with examples; none where nothing is judged."""
        return () if self.problems else losses(self.verdict, self.comparison)

    @cached_property
    def variants(self) -> tuple[VariantRow, ...]:
        """What is right as written and in other forms, where sections have such variants."""
        return variant_rows(self.comparison, self.verdict.alpha)

    @property
    def sliced(self) -> tuple[RuleResult, ...]:
        """The results of rules on many slices."""
        return tuple(rule for rule in self.rules if rule.slices)

    @property
    def latency(self) -> LatencyContent | None:
        """The measurement of latency, None where none was made."""
        verdict = self.verdict
        if verdict.latency is None:
            return None
        return LatencyContent(verdict.latency, verdict.candidate, verdict.baseline, verdict.rules)

    @property
    def runs(self) -> tuple[tuple[str, RunRecord, Accounting, str], ...]:
        """Both sides: role, run, accounting, and a sentence on repeats that may be empty."""
        ours, theirs = self.comparison.candidate, self.comparison.baseline
        repeats = repeats_sentences([ours, theirs])
        return (
            ("candidate", ours, self.verdict.accounting, repeats[0]),
            ("baseline", theirs, self.verdict.baseline_accounting, repeats[1]),
        )

    @cached_property
    def thinks(self) -> bool:
        """Whether answers of either run began with thinking, as their times say."""
        runs = (self.comparison.candidate, self.comparison.baseline)
        return any(recorded_times(run.attempts).tta_p50 is not None for run in runs)

    @cached_property
    def timed(self) -> bool:
        """Whether times were recorded in either run: answers that are taken over have none."""
        runs = (self.comparison.candidate, self.comparison.baseline)
        return any(recorded_times(run.attempts).timed for run in runs)

    @property
    def priced(self) -> bool:
        """Whether it is known of either run what its answers cost."""
        runs = (self.comparison.candidate, self.comparison.baseline)
        return any(run.spending.cost is not None for run in runs)

    @cached_property
    def scorer_errors(self) -> tuple[tuple[str, str], ...]:
        """Each installed scorer of the sections, and how often it was found to be wrong."""
        used = dict.fromkeys(each.scorer for each in self.comparison.candidate.header.sections)
        known = [(name, get(name)) for name in used if name in names()]
        unknown = "it is not known how often it is wrong: label some answers and compare"
        return tuple((name, getattr(scorer, "measured", unknown)) for name, scorer in known)

    @property
    def noise_note(self) -> str:
        """An explanation of noise, code in backquotes; empty where it was not measured."""
        return noise_note(self.rules)

    @property
    def rules_passed(self) -> int:
        """How many rules pass."""
        return sum(rule.outcome == "pass" for rule in self.rules)

    @cached_property
    def problems(self) -> tuple[str, ...]:
        """Every problem with the evidence, once."""
        found = dict.fromkeys([*self.verdict.problems, *self.comparison.problems])
        return tuple(one_line(problem, 600) for problem in found)

    @cached_property
    def repeats(self) -> int:
        """How often each case was asked."""
        return repeats_of(self.comparison)

    @cached_property
    def sections(self) -> tuple[SectionChanges, ...]:
        """What changed in each section; without metrics where the evidence cannot be trusted."""
        return section_changes(self.comparison, trusted=not self.verdict.problems)

    def is_certain(self, metric: PairedMetric) -> bool:
        """Whether the metric changed by more than chance, as far as the verdict tells.

        That is a listed regression, or a rule whose interval of the difference leaves out 0.
        """
        listed = any(one.metric == metric.name for one in self.verdict.regressions)
        return listed or any(
            rule.metric == metric.name
            and scale_of(rule) == "difference"
            and None not in (rule.ci_low, rule.ci_high)
            and not (rule.ci_low or 0.0) <= 0.0 <= (rule.ci_high or 0.0)
            for rule in self.rules
        )

    @cached_property
    def groups(self) -> tuple[CaseGroup, ...]:
        """The cases by what happened to them."""
        return build_groups(self.comparison)

    def group(self, key: str) -> CaseGroup | None:
        """The cases with one fate, or None where there are none."""
        return next((group for group in self.groups if group.key == key), None)


@dataclass(frozen=True, slots=True)
class GateFailure:
    """Why a gate gave no verdict.

    `word` is INVALID where the evidence cannot be trusted, INTERRUPTED where somebody stopped it,
    else ERROR; `where` is the file, or file and line, that the error names, empty if it names none.
    `baseline` is empty where not even that was known.
    """

    word: Literal["INVALID", "ERROR", "INTERRUPTED"]
    candidate: str
    baseline: str
    line: str
    where: str
    exit_code: int
    stamp: str

    @property
    def title(self) -> str:
        """The title of the report as plain text: candidate against baseline."""
        return " against ".join(self.names)

    @property
    def names(self) -> tuple[str, ...]:
        """The candidate, and the baseline where it is known."""
        return tuple(one_line(name, 80) for name in (self.candidate, self.baseline) if name)

    @property
    def reason(self) -> str:
        """The reason on one line, with visible characters only."""
        return one_line(self.line, 2_000)
