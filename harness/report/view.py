"""The one view model that every renderer works from."""

from __future__ import annotations

from dataclasses import replace

from harness.records.comparison import Comparison
from harness.records.verdict import Decision, Verdict
from harness.report import numbers
from harness.report.cases import build_groups
from harness.report.costs import build_costs
from harness.report.latency.model import LatencyView
from harness.report.latency.view import build_latency
from harness.report.model import ReportView
from harness.report.regressions import build_regressions
from harness.report.repeats import repeats_sentences
from harness.report.rules import build_rule, headline, noise_note
from harness.report.runs import build_counts, build_prompts, build_provenance, build_sections
from harness.report.tallies import repeats_of
from harness.report.text import one_line, visible

_MEANING: dict[Decision, tuple[str, str]] = {
    "PROMOTE": ("✓", "The candidate may replace the baseline."),
    "BLOCK": ("✕", "The candidate must not replace the baseline."),
    "INCONCLUSIVE": (
        "?",
        "The evidence cannot tell whether the candidate may replace the baseline.",
    ),
    "INVALID": ("!", "The evidence cannot be trusted, so nothing follows from it."),
}


def build_view(verdict: Verdict, comparison: Comparison) -> ReportView:
    """Everything a report shows, as display-ready strings and plain numbers."""
    symbol, meaning = _MEANING[verdict.verdict]
    rules = tuple(build_rule(rule) for rule in verdict.rules)
    if verdict.verdict == "INVALID":
        # How fine a margin the groups can tell matters only where the evidence counts.
        rules = tuple(replace(rule, warning="") for rule in rules)
    if not any(rule.noise for rule in verdict.rules):
        rules = tuple(replace(rule, noise="") for rule in rules)
    deciding = next(
        (
            shown
            for rule, shown in zip(verdict.rules, rules, strict=True)
            if rule is verdict.deciding
        ),
        None,
    )
    if verdict.verdict == "INVALID" and verdict.problems:
        deciding = None
    reason = one_line(verdict.reason, 600)
    problems = dict.fromkeys([*verdict.problems, *comparison.problems])
    repeats = repeats_sentences([comparison.candidate, comparison.baseline])
    return ReportView(
        verdict=verdict.verdict,
        symbol=symbol,
        meaning=meaning,
        reason=reason,
        headline=headline(deciding) if deciding else reason,
        deciding=deciding,
        exit_code=verdict.exit_code,
        candidate=one_line(verdict.candidate, 80),
        baseline=one_line(verdict.baseline, 80),
        created=visible(numbers.moment(verdict.created)),
        stamp=one_line(verdict.created, 40),
        alpha=f"{verdict.alpha:g}",
        confidence=f"{100 * (1 - 2 * verdict.alpha):g}%",
        rules=rules,
        rules_passed=sum(rule.outcome == "pass" for rule in verdict.rules),
        noise=noise_note(verdict.rules),
        regressions=build_regressions(verdict),
        repeats=repeats_of(comparison),
        problems=tuple(one_line(problem, 600) for problem in problems),
        new_critical=tuple(one_line(path, 200) for path in verdict.new_critical_failures),
        counts=(
            build_counts("candidate", comparison.candidate, verdict.accounting, repeats[0]),
            build_counts("baseline", comparison.baseline, verdict.baseline_accounting, repeats[1]),
        ),
        costs=build_costs(comparison),
        sections=build_sections(comparison, trusted=not verdict.problems),
        prompts=build_prompts(comparison),
        groups=build_groups(comparison),
        provenance=build_provenance(comparison),
        hashes=(
            *((name, visible(value)) for name, value in verdict.hashes),
            ("candidate run", visible(verdict.candidate_run)),
            ("baseline run", visible(verdict.baseline_run)),
            ("harness", visible(verdict.harness_version)),
        ),
        latency=_latency(verdict),
    )


def _latency(verdict: Verdict) -> LatencyView | None:
    if verdict.latency is None:
        return None
    return build_latency(verdict.latency, verdict.candidate, verdict.baseline, verdict.rules)
