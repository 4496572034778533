"""The view of a line-up that every renderer works from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from harness import stats
from harness.gate.differences import difference, losses
from harness.gate.rules.no_new_critical_failures import new_critical_failures
from harness.records.comparison import Comparison
from harness.records.latency import is_latency
from harness.records.lineup import Contender, Lineup
from harness.records.recommendation import Recommendation
from harness.records.verdict import Outcome, RuleResult
from harness.report import numbers
from harness.report.lineup.model import (
    AdvantageRow,
    ContenderView,
    Gap,
    LineupView,
    MetricCell,
    MetricRow,
    RecommendationView,
    RuleCell,
    RuleRow,
)
from harness.report.rules import SYMBOLS, build_rule
from harness.report.text import one_line

_NAME, _PATH, _REASON = 60, 200, 400
_OUTCOMES: dict[str, Outcome] = {
    "PROMOTE": "pass",
    "BLOCK": "fail",
    "INCONCLUSIVE": "inconclusive",
    "INVALID": "invalid",
}
_TITLES = {
    "none": "No candidate is recommended",
    "one": "Recommended: {names}",
    "equal": "Recommended equally: {names}",
    "trade_off": "No candidate is recommended over the others",
    "not_compared": "No candidate is recommended over the others",
}
NOT_MEASURED, NOT_JUDGED = "not measured", "not judged"


def build_lineup(lineup: Lineup) -> LineupView:
    """Everything that is shown of a line-up."""
    found = lineup.recommendation
    chosen = () if found is None else found.candidates
    return LineupView(
        baseline=one_line(lineup.baseline, _NAME),
        alpha=f"{lineup.alpha:g}",
        confidence=f"{100 * (1 - 2 * lineup.alpha):g}%",
        contenders=tuple(_contender(one, one.name in chosen) for one in lineup.contenders),
        recommendation=None if found is None else _recommendation(found),
        rules=tuple(_rules(lineup.contenders)),
        metrics=tuple(_metrics(lineup)),
        notes=tuple(_notes(lineup)),
    )


def _contender(one: Contender, recommended: bool) -> ContenderView:
    verdict = one.verdict
    outcome = None if verdict is None else _OUTCOMES[verdict.verdict]
    critical = () if one.doubts else new_critical_failures(one.comparison)
    reason = verdict.reason if verdict is not None else next(iter(one.doubts), "")
    return ContenderView(
        name=one_line(one.name, _NAME),
        verdict="" if verdict is None else verdict.verdict,
        outcome=outcome,
        symbol="" if outcome is None else SYMBOLS[outcome],
        reason=one_line(reason, _REASON),
        doubts=tuple(one_line(doubt, _REASON) for doubt in one.doubts),
        new_critical=tuple(one_line(path, _PATH) for path in critical),
        changes=() if one.doubts else tuple(_changes(one.comparison)),
        recommended=recommended,
    )


def _changes(comparison: Comparison) -> Iterator[tuple[str, str]]:
    for section, counts in changes(comparison).items():
        yield section, ", ".join(f"{count} {kind}" for kind, count in counts.items())


def changes(comparison: Comparison) -> dict[str, dict[str, int]]:
    """How many answers of each section changed, and how."""
    found: dict[str, Counter[str]] = {}
    for case in comparison.cases:
        section = found.setdefault(f"{case.suite}.{case.section}", Counter())
        section[case.change.replace("_", " ")] += 1
    return {section: dict(counts) for section, counts in found.items()}


def _recommendation(found: Recommendation) -> RecommendationView:
    names = ", ".join(one_line(name, _NAME) for name in found.candidates)
    told = ""
    if found.tested:
        told = (
            f"{numbers.counted(found.tested, 'difference')} between candidates that pass, on the "
            "metrics with a rule and without a cap, tested together (Holm)"
        )
    return RecommendationView(
        choice=found.choice,
        title=_TITLES[found.choice].format(names=names),
        reason=one_line(found.reason, 2 * _REASON),
        told=told,
        advantages=tuple(
            AdvantageRow(
                metric=one_line(each.metric, _PATH),
                better=one_line(each.better, _NAME),
                worse=one_line(each.worse, _NAME),
                difference=numbers.points(each.estimate),
                interval=numbers.interval(each.ci_low, each.ci_high, numbers.points),
                p_value=numbers.p_value(each.p_value),
            )
            for each in found.advantages
        ),
        notes=tuple(one_line(note, 2 * _REASON) for note in found.notes),
    )


def _rules(contenders: Sequence[Contender]) -> Iterator[RuleRow]:
    """The rules of the policy in its order; one that only some verdicts add comes last."""
    tables = [_by_rule(one) for one in contenders]
    for key in dict.fromkeys(key for table in tables for key in table):
        results = [table.get(key) for table in tables]
        # An unjudged rule has no limit, so its requirement is told by another's.
        first = max((one for one in results if one), key=lambda one: one.limit is not None)
        shown = build_rule(first)
        yield RuleRow(
            name=one_line(shown.name, _PATH),
            requirement=shown.requirement if first.metric else "",
            cells=tuple(
                None if result is None else _rule_cell(result, judged=not one.doubts)
                for one, result in zip(contenders, results, strict=True)
            ),
        )


def _by_rule(one: Contender) -> dict[tuple[str, str | None, int], RuleResult]:
    """The results by rule; the number tells two rules of one kind on one metric apart."""
    found: dict[tuple[str, str | None, int], RuleResult] = {}
    for rule in () if one.verdict is None else one.verdict.rules:
        place = sum((rule.require, rule.metric) == key[:2] for key in found)
        found[rule.require, rule.metric, place] = rule
    return found


def _rule_cell(rule: RuleResult, *, judged: bool) -> RuleCell:
    shown = build_rule(rule)
    if not judged:
        told = NOT_JUDGED
    elif _unmeasured(rule):
        told = NOT_MEASURED
    elif rule.estimate is not None:
        told = f"{shown.estimate} ({shown.interval})"
    else:
        told = shown.reason
    return RuleCell(rule.outcome, SYMBOLS[rule.outcome], told)


def _unmeasured(rule: RuleResult) -> bool:
    """Whether a rule on latency has no measurement to be judged by."""
    return is_latency(rule.metric) and rule.reason.endswith("was not measured")


def _metrics(lineup: Lineup) -> Iterator[MetricRow]:
    trusted = [one.comparison for one in lineup.contenders if not one.doubts]
    p_values = {
        one.name: {each.metric: each.p_value for each in losses(one.comparison, lineup.alpha)}
        for one in lineup.contenders
        if not one.doubts
    }
    for name in dict.fromkeys(metric for found in trusted for metric in found.metrics):
        first = next(found.metrics[name] for found in trusted if name in found.metrics)
        cells = (
            _metric_cell(one, name, lineup.alpha, p_values.get(one.name, {}).get(name))
            for one in lineup.contenders
        )
        yield MetricRow(one_line(name, _PATH), numbers.share(first.baseline_value), tuple(cells))


def _metric_cell(one: Contender, name: str, alpha: float, p_of_loss: float | None) -> MetricCell:
    metric = None if one.doubts else one.comparison.metrics.get(name)
    nothing = numbers.NONE
    if metric is None:
        return MetricCell(nothing, nothing, "", nothing, "", None)
    value = numbers.share(metric.candidate_value)
    try:
        found = difference(metric, alpha)
    except ValueError:
        return MetricCell(value, nothing, "not computed", nothing, "", None)
    return MetricCell(
        value=value,
        difference=numbers.points(found.estimate),
        interval=numbers.interval(found.low, found.high, numbers.points),
        p_of_loss=numbers.p_value(p_of_loss),
        direction=_direction(found, p_of_loss, alpha),
        gap=Gap(100 * found.estimate, 100 * found.low, 100 * found.high),
    )


def _direction(found: stats.Interval, p_of_loss: float | None, alpha: float) -> str:
    if p_of_loss is not None and p_of_loss <= alpha:
        return "worse"
    return "better" if found.low > 0.0 else ""


def _notes(lineup: Lineup) -> Iterator[str]:
    for one in lineup.contenders:
        if one.doubts:
            more = f" (and {len(one.doubts) - 1} more)" if len(one.doubts) > 1 else ""
            yield f"{one_line(one.name, _NAME)}: {one_line(one.doubts[0], _REASON)}{more}"
        elif one.verdict is not None and any(map(_unmeasured, one.verdict.rules)):
            name = one_line(one.name, _NAME)
            yield f"{name}: its latency was not measured, `harness latency {name}` does that"
    if any(
        metric.missing.size
        for one in lineup.contenders
        if not one.doubts
        for metric in one.comparison.metrics.values()
    ):
        yield (
            "where a case has no score on a side, a candidate's difference is over the cases that "
            "both have, and the baseline's value is that of the first candidate's cases"
        )
