"""A measurement of latency in words: loads, percentiles, figures of the arms, limits of rules."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from harness.records.latency import (
    ARMS,
    LATENCY_PREFIX,
    Arm,
    ArmFigures,
    Bounded,
    LatencyMetric,
    LatencySection,
    LoadResult,
    is_latency,
)
from harness.records.load import Load
from harness.records.rule import kind_of
from harness.records.verdict import Outcome, RuleResult
from harness.report import formats
from harness.report.formats import Format, fine_format
from harness.report.latency_summary import deployments_words, found_words, unbound
from harness.report.rules import WORST_FIRST, completed, scale_of
from harness.visible_text import one_line

TERMS = (
    "TTFT: time to first token, from the moment a request was due; service TTFT: from its sending; "
    "ITL: between two chunks; TPOT: for each token after the first chunk; E2E: to the end of the "
    "answer."
)
TERM_OF_THINKING = "TTA: time to the first token of the answer, after any thinking."
CONTROL = (
    "The control is the baseline measured a second time: its ratio to the baseline shows the noise "
    "of this measurement."
)
INFINITE = (
    "∞: no finite value. Failed requests and timeouts count as infinitely late and as misses of "
    "the SLO."
)
_FAMILIES = {
    "ttft": "TTFT", "tta": "TTA", "service_ttft": "Service TTFT", "itl": "ITL", "tpot": "TPOT",
    "e2e": "E2E",
}  # fmt: skip
_METRIC = re.compile(r"(\w+)_(p\d+)")
_MEANING: dict[Outcome, str] = {
    "pass": "Every rule on latency passes.",
    "fail": "A rule on latency fails.",
    "inconclusive": "The measurement is too uncertain to decide every rule.",
    "invalid": "The measurement cannot be trusted, so nothing follows from it.",
}


@dataclass(frozen=True)
class LatencyContent:
    """A measurement of two targets with the rules of a verdict, of which those on latency count."""

    section: LatencySection
    candidate: str
    baseline: str
    all_rules: tuple[RuleResult, ...]

    @cached_property
    def rules(self) -> tuple[RuleResult, ...]:
        """The results of the rules on latency, with infinity for what is beyond every bound."""
        return tuple(completed(rule) for rule in self.all_rules if is_latency(rule.metric))

    @cached_property
    def outcome(self) -> Outcome | None:
        """The worst outcome of the rules, invalid where there is a problem at any load.

        None where no rule is on latency.
        """
        if self.problems:
            return "invalid"
        found = {rule.outcome for rule in self.rules}
        return next((outcome for outcome in WORST_FIRST if outcome in found), None)

    @property
    def meaning(self) -> str:
        """The meaning of the outcome, in one sentence."""
        if self.outcome is None:
            return "No rule of the policy asks for latency: it was measured and not judged."
        return _MEANING[self.outcome]

    @property
    def found(self) -> str:
        """What the measurement found of the first word, in a few words; empty if invalid."""
        return "" if self.outcome == "invalid" else found_words(self.section)

    @property
    def problems(self) -> tuple[str, ...]:
        """All that is wrong with the measurement, each problem with the name of its load.

        That the client was late is wrong where no rule says whether it matters.
        """
        return tuple(
            one_line(f"{load_title(load.load)}: {problem}", 600)
            for load in self.section.loads
            for problem in (*load.problems, *(() if self.rules else load.late))
        )

    @property
    def terms(self) -> str:
        """What the metrics are, in words."""
        names = {metric.metric for load in self.section.loads for metric in load.metrics}
        thinks = any(split_metric(name)[0] == _FAMILIES["tta"] for name in names)
        return f"{TERMS} {TERM_OF_THINKING}" if thinks else TERMS

    @property
    def deployments(self) -> str:
        """What was compared where it is more than two targets of one server, in sentences."""
        return deployments_words(self.section, self.candidate, self.baseline)

    @property
    def infinite(self) -> bool:
        """Whether anything in the measurement is beyond every bound."""
        return any(arm.failed for load in self.section.loads for arm in load.arms)


def split_metric(metric: str) -> tuple[str, str]:
    """The family of a metric and which value of it, as people write them: `TTFT`, `p95`."""
    found = _METRIC.fullmatch(metric)
    if found is None or found[1] not in _FAMILIES:
        return one_line(metric.replace("_", " "), 60), ""
    return _FAMILIES[found[1]], found[2]


def load_title(load: Load) -> str:
    """What a load is, as a heading."""
    if load.kind == "single":
        return "One request at a time"
    if load.kind == "closed":
        return f"{formats.counted(load.concurrency, 'request')} at a time"
    if load.share is not None:
        return f"Poisson arrivals at {100 * load.share:g}% of the baseline's capacity"
    return f"Poisson arrivals, {load.rate:g} requests/s"


def load_facts(load: LoadResult) -> str:
    """The rate that a load was given at, where its name does not say it, and its rounds."""
    shows_rate = load.rate is not None and load.load.rate is None
    rate = f"{formats.number(load.rate)} requests/s" if shows_rate else ""
    return ", ".join(filter(None, (rate, formats.counted(load.rounds, "round"))))


def measurement_facts(section: LatencySection) -> tuple[tuple[str, str], ...]:
    """How it was measured, by name."""
    settings = section.settings
    length = "each" if settings.length == "fixed" else "at most, as the model ends"
    rows = [
        ("Requests", f"{formats.count(settings.requests)} of each arm at each load"),
        ("Rounds", f"{formats.count(settings.rounds)}, the arms in an order drawn for each"),
        ("Answers", f"{formats.counted(settings.max_tokens, 'token')} {length}"),
        ("SLO", slo_words(section) or "none"),
        ("Seed", str(settings.seed)),
        ("Measurement", one_line(section.measurement, 120)),
        ("Digest", one_line(section.digest, 120)),
    ]
    if section.servers is not None:
        mode = (
            "side by side" if section.servers.mode == "side_by_side" else "in turns, anew a block"
        )
        rows.insert(2, ("Servers", mode))
    if section.stopped_early:
        rows.insert(2, ("Stopped early", "further rounds could no longer change the outcome"))
    return tuple(rows)


def slo_words(section: LatencySection) -> str:
    """What a good request keeps: `TTFT ≤ 500 ms, E2E ≤ 4.00 s`; empty without an SLO."""
    slo = section.settings.slo
    if slo is None:
        return ""
    limits = (("TTFT", slo.ttft), ("TTA", slo.tta), ("E2E", slo.e2e))
    return ", ".join(
        f"{name} ≤ {formats.duration(limit)}" for name, limit in limits if limit is not None
    )


@dataclass(frozen=True, slots=True)
class Span:
    """A value and its interval, as text."""

    value: str
    bounds: str = formats.NONE


def span(found: Bounded | None, form: Format) -> Span:
    """A value and its bounds as text, `–` for none."""
    if found is None:
        return Span(formats.NONE)
    low, high = unbound(found.low), unbound(found.high)
    value, bounds = form(unbound(found.estimate)), formats.interval(low, high, form)
    return Span(value, formats.NONE if bounds == formats.INFINITY else bounds)


def in_words(found: Span) -> str:
    """A value with its bounds in brackets, where it has any."""
    return found.value if found.bounds == formats.NONE else f"{found.value} ({found.bounds})"


def families(metrics: Sequence[LatencyMetric]) -> list[list[LatencyMetric]]:
    """The metrics, those of one family together, in the order they come in."""
    found: dict[str, list[LatencyMetric]] = {}
    for metric in metrics:
        found.setdefault(split_metric(metric.metric)[0], []).append(metric)
    return list(found.values())


def metric_title(metric: LatencyMetric) -> str:
    """The metric as people write it: `TTFT p95`."""
    return " ".join(filter(None, split_metric(metric.metric)))


def shortage(metric: LatencyMetric) -> str:
    """Why the metric cannot pass a rule; empty where it has enough requests."""
    if metric.certifiable:
        return ""
    needed = formats.count(metric.needed)
    return f"{formats.count(metric.n)} requests, and {needed} are needed to pass the limit"


def shortages(load: LoadResult) -> tuple[str, ...]:
    """One sentence on the metrics with too few requests for a rule to pass, which a star marks.

    Nothing where there are none.
    """
    short = [metric for metric in load.metrics if not metric.certifiable]
    if not short:
        return ()
    needs = {split_metric(one.metric)[1] or metric_title(one): one.needed for one in short}
    listed = ", ".join(
        f"{name} {'' if place else 'needs '}{formats.count(needed)}"
        for place, (name, needed) in enumerate(sorted(needs.items(), key=lambda one: one[1]))
    )
    had = formats.counted(min(one.n for one in short), "request")
    return (f"* too few requests to pass a rule: {listed} of each target; there were {had}",)


def ratio_rule(metric: LatencyMetric, rules: Sequence[RuleResult]) -> RuleResult | None:
    """The rule that limits the metric's ratio, if any does."""
    name = f"{LATENCY_PREFIX}{metric.metric}"
    return next((r for r in rules if r.metric == name and scale_of(r) == "ratio"), None)


def findings(
    load: LoadResult, rules: Sequence[RuleResult]
) -> tuple[tuple[Outcome | None, str], ...]:
    """Where each metric lies that a rule limits, in words.

    The outcome is None where another load decided the rule.
    """
    by_name = {f"{LATENCY_PREFIX}{metric.metric}": metric for metric in load.metrics}
    return tuple(
        _finding(load, by_name[rule.metric], rule)
        for rule in rules
        if rule.metric in by_name
        and rule.limit is not None
        and kind_of(rule).decided_by == "latency"
    )


def _held(metric: LatencyMetric, rule: RuleResult) -> Bounded:
    """The value that the rule compares with its limit."""
    return metric.candidate if scale_of(rule) == "value" else metric.ratio


def _finding(
    load: LoadResult, metric: LatencyMetric, rule: RuleResult
) -> tuple[Outcome | None, str]:
    limit, name, own = rule.limit or 0.0, metric_title(metric), scale_of(rule) == "value"
    found = _held(metric, rule)
    values = (unbound(found.estimate), unbound(found.low), unbound(found.high))
    form = fine_format("value" if own else "ratio", "seconds", limit, values)
    outcome = outcome_at(load, metric, rule)
    of = name if own else f"{name} divided by the baseline's"
    place = _place(outcome, metric, found, limit).format(limit=form(limit))
    return outcome, f"{of} is {in_words(span(found, form))}: {place}."


def outcome_at(load: LoadResult, metric: LatencyMetric, rule: RuleResult) -> Outcome | None:
    """The rule's outcome as far as its result tells it of this load; None where it does not.

    A result is that of the load where the rule comes out worst, so a pass is one at every load.
    """
    held = _held(metric, rule)
    ours = map(unbound, (held.estimate, held.low, held.high, metric.n, load.rounds))
    theirs = map(unbound, (rule.estimate, rule.ci_low, rule.ci_high, rule.n, rule.groups))
    decided = list(ours) == list(theirs)
    return rule.outcome if decided or rule.outcome == "pass" else None


def _place(outcome: Outcome | None, metric: LatencyMetric, found: Bounded, limit: float) -> str:
    """The value's position relative to the limit, in words that hold `{limit}`."""
    if outcome in ("pass", "fail"):
        beyond = unbound(found.high) > limit if outcome == "pass" else unbound(found.low) <= limit
        side = "within" if outcome == "pass" else "above"
        return f"{side} the limit of {{limit}}" + (" by its estimate" if beyond else "")
    if outcome in (None, "invalid"):
        return "the limit is {limit}"
    if not metric.certifiable:
        return shortage(metric)
    if unbound(found.low) <= limit < unbound(found.high):
        return "the limit of {limit} lies inside the interval, so the outcome is unclear"
    return (
        "two measurements of the baseline differ too much to compare this with the limit of {limit}"
    )


def figure_rows(
    arms: Sequence[ArmFigures], slo: str
) -> tuple[tuple[str, str, tuple[Span, ...]], ...]:
    """Each figure that an arm has: its name, what it is, and its value for every arm.

    `slo` is what goodput keeps.
    """
    rows: list[tuple[str, str, str, Callable[[ArmFigures], Span]]] = [
        ("requests", "Requests", "counted, the opening waves left out",
         lambda arm: Span(formats.count(arm.requests))),
        ("failed", "Failed", "", _failed),
        ("error_rate", "Error rate", "", lambda arm: span(arm.error_rate, formats.share)),
        ("goodput", "Goodput", slo, lambda arm: span(arm.goodput, formats.share)),
        ("requests_per_second", "Requests per second", "",
         lambda arm: Span(formats.number(arm.requests_per_second))),
        ("tokens_per_second", "Tokens per second", "",
         lambda arm: Span(formats.number(arm.tokens_per_second))),
        ("tokens_mean", "Tokens per answer", "mean",
         lambda arm: Span(formats.number(arm.tokens_mean))),
        ("longest_gap", "Longest gap", "between two chunks of an answer", _gap),
    ]  # fmt: skip
    return tuple(
        (name, hint, tuple(map(cell, arms)))
        for field, name, hint, cell in rows
        if any(getattr(arm, field) is not None for arm in arms)
    )


def ttft_curves(load: LoadResult) -> dict[Arm, list[tuple[float, float]]]:
    """The arms' distributions of TTFT as points of (TTFT, share), each as far as it is finite."""
    curves: dict[Arm, list[tuple[float, float]]] = {}
    for arm in ARMS:
        values = load.ecdf.get(arm, ())
        last = max(len(values) - 1, 1)
        points = [(value, place / last) for place, value in enumerate(values) if value is not None]
        if len(points) > 1:
            curves[arm] = points
    return curves


def unfinished(load: LoadResult) -> tuple[str, ...]:
    """A sentence for each arm with failures, on what they do to its curve of TTFT."""
    curves = ttft_curves(load)
    return tuple(
        f"{formats.share(arm.failed / arm.requests)} of the {arm.arm}'s requests failed: "
        f"{'its curve ends below 100%' if arm.arm in curves else 'it has no curve'}."
        for arm in arms_in_order(load)
        if arm.failed and arm.requests
    )


def _gap(arm: ArmFigures) -> Span:
    endless = arm.longest_gap is None and arm.failed
    return Span(formats.INFINITY if endless else formats.duration(arm.longest_gap))


def _failed(arm: ArmFigures) -> Span:
    causes = sorted(arm.failures.items(), key=lambda item: (-item[1], item[0]))
    listed = ", ".join(f"{one_line(cause, 60)} {formats.count(count)}" for cause, count in causes)
    return Span(formats.count(arm.failed), listed or formats.NONE)


def arms_in_order(load: LoadResult) -> list[ArmFigures]:
    """The figures of the arms, the candidate's first."""
    return sorted(load.arms, key=lambda arm: ARMS.index(arm.arm))
