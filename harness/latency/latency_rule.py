"""Judge: hold what a measurement found against the policy's rules on latency."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

from harness import stats
from harness.latency.quantities import split
from harness.records.comparison import ComparisonRecord
from harness.records.latency import (
    LATENCY_PREFIX,
    Bounded,
    LatencyMetric,
    LatencySection,
    LatencySettings,
    LoadResult,
    is_latency,
)
from harness.records.metric import Metric
from harness.records.rule import Misfit, Planned, Policy, Rule
from harness.records.verdict import Outcome, RulePower, RuleResult

_WORST: tuple[Outcome, ...] = ("invalid", "fail", "inconclusive", "pass")


class LatencyRule(Rule):
    """A limit on a percentile of a time, judged at the load where it comes out worst."""

    namespace: ClassVar[str] = "latency"
    decided_by: ClassVar[Literal["answers", "latency"]] = "latency"
    good_side: ClassVar[Literal["above", "below"] | None] = "below"

    metric: str
    value: float

    @classmethod
    def takes(cls, metric: str | None) -> bool:
        """Whether the metric is a percentile of a time."""
        return is_latency(metric)

    # What a kind says; the units are what stands behind the limit and behind a value.

    # At a limit of this size a candidate that nobody would wait for passes.
    no_limit: ClassVar[float] = 3600.0
    limit_unit: ClassVar[str] = " s"
    unit: ClassVar[str] = " s"

    @abstractmethod
    def held(self, metric: LatencyMetric) -> Bounded:
        """What is held against the limit."""

    @property
    def by_estimate(self) -> bool:
        """Whether the estimate alone decides, whatever its bounds are."""
        return False

    def lost_in_noise(self, metric: LatencyMetric, outcome: Outcome) -> str:
        """Why noise could have made the outcome, in words; empty where it could not."""
        return ""

    # What follows for all of them.

    @property
    def bounded_by_alpha(self) -> bool:
        """Whether the chance of a false pass is at most alpha."""
        return not self.by_estimate

    def misfit(self, metrics: Mapping[str, Metric]) -> Misfit | None:
        """What is wrong with the rule's limit."""
        if self.value > 0.0:
            return None
        return Misfit("value", f"{self.value:g} is no time", "write seconds, more than 0")

    def vacuous(self, planned: Planned | None, alpha: float) -> str:
        """Why the rule passes whatever a candidate does: its limit is none."""
        if self.value < self.no_limit:
            return ""
        return f"{self.metric} {self.require} {self.value:g}{self.limit_unit} is no limit"

    def judge(self, comparison: ComparisonRecord, alpha: float) -> RuleResult:
        """The rule's result; the measurement's bounds are at levels of its own."""
        if comparison.latency is None:
            return self.invalid(f"{self.metric} was not measured", self.value)
        return judge_rule(self, comparison.latency)

    def power(self, comparison: ComparisonRecord, alpha: float) -> RulePower:
        """No power: the answers to the suites say nothing of times."""
        return self.no_power("no case has a value of it on both sides")

    def planned_power(self, planned: Planned | None, alpha: float) -> RulePower:
        """No power: the suites say nothing of times."""
        return self.no_power("no cases of the suites here measure it")

    @classmethod
    def suite_of(cls, metric: str | None) -> str | None:
        """No suite: latency concerns all of them."""
        return None

    @classmethod
    def definition(cls, result: RuleResult) -> Metric:
        """A time in seconds, less of which is better."""
        return Metric(name=result.metric or "time", unit="seconds", direction="lower", high=None)


def latency_rules(policy: Policy | None) -> tuple[LatencyRule, ...]:
    """The rules of the policy that are about latency."""
    rules = () if policy is None else policy.rules
    return tuple(rule for rule in rules if isinstance(rule, LatencyRule))


def uncertifiable(rules: Sequence[LatencyRule], settings: LatencySettings) -> str:
    """Which rules can never pass with so many requests, in one sentence; empty where all can."""
    wanted = {
        rule.metric: stats.needed(split(rule.metric.removeprefix(LATENCY_PREFIX))[1])
        for rule in rules
    }
    short = {metric: needed for metric, needed in wanted.items() if needed > settings.requests}
    if not short:
        return ""
    each = ", ".join(f"{metric} needs {needed}" for metric, needed in short.items())
    return (
        f"`latency.requests` is {settings.requests} of each arm; to be able to pass, {each}: write "
        f"at least {max(short.values())}"
    )


def judge_rule(rule: LatencyRule, section: LatencySection) -> RuleResult:
    """The rule's result at the load where it is worst."""
    results = [judge_load(rule, load) for load in section.loads]
    return min(results, key=_rank)


def judge_load(rule: LatencyRule, load: LoadResult, *, by_bounds: bool = False) -> RuleResult:
    """The rule's result at one load; `by_bounds` even where its estimate alone decides."""
    name = rule.metric.removeprefix(LATENCY_PREFIX)
    metric = next((one for one in load.metrics if one.metric == name), None)
    if load.problems:
        return rule.invalid(load.problems[0], rule.value)
    if metric is None:
        return rule.invalid(f"{rule.metric} at {load.load} has no value", rule.value)
    held = rule.held(metric)
    outcome = _outcome(held, rule.value, by_estimate=rule.by_estimate and not by_bounds)
    shown = f"{bounds_words(held)}{rule.unit}"
    what = f"{rule.metric} at {load.load}"
    words = f"{_WORDS[outcome].format(what)} {rule.value:g}{rule.limit_unit}: {shown}"
    if outcome != "inconclusive" and (noise := rule.lost_in_noise(metric, outcome)):
        outcome, words = "inconclusive", f"{what} is unclear: {shown}, and {noise}"
    if load.late and not _stands_charged(rule, metric, outcome, by_bounds=by_bounds):
        words = f"{load.load}: {load.late[0]}; that may decide what is said of {rule.metric}"
        return rule.invalid(words, rule.value)
    if outcome == "pass" and not metric.certifiable:
        outcome = "inconclusive"
        words = (
            f"{what} has too few requests to pass: {metric.n} of {metric.needed} for each target, "
            f"{shown}"
        )
    return RuleResult(
        metric=rule.metric,
        require=rule.require,
        outcome=outcome,
        candidate=metric.candidate.estimate,
        baseline=metric.baseline.estimate,
        estimate=held.estimate,
        ci_low=held.low,
        ci_high=held.high,
        limit=rule.value,
        n=metric.n,
        groups=load.rounds,
        reason=words,
    )


def _stands_charged(
    rule: LatencyRule, metric: LatencyMetric, outcome: Outcome, *, by_bounds: bool
) -> bool:
    """Whether a rule passes or fails as it does, whatever the client's lateness was."""
    charged = metric.charged(slowest=outcome == "pass")
    if charged is None or outcome not in ("pass", "fail"):
        return False
    by_estimate = rule.by_estimate and not by_bounds
    return _outcome(rule.held(charged), rule.value, by_estimate=by_estimate) == outcome


def decided(rules: Sequence[LatencyRule], load: LoadResult) -> bool:
    """Whether more of this load cannot change what the rules say: one fails, or all pass.

    An estimate alone decides nothing before the end: no share of alpha pays for looking at it.
    """
    outcomes = [judge_load(rule, load, by_bounds=True).outcome for rule in rules]
    return "fail" in outcomes or all(outcome == "pass" for outcome in outcomes)


_WORDS: dict[Outcome, str] = {
    "pass": "{} is at most",
    "fail": "{} is more than",
    "inconclusive": "it is unclear whether {} is at most",
}


def _outcome(held: Bounded, limit: float, *, by_estimate: bool) -> Outcome:
    """As an interval decides; a bound that is None is beyond every limit."""
    low, high = (held.estimate, held.estimate) if by_estimate else (held.low, held.high)
    if high is not None and high <= limit:
        return "pass"
    return "fail" if low is None or low > limit else "inconclusive"


def control_noise(metric: LatencyMetric) -> float:
    """By how many times the baseline may differ from itself in this metric."""
    control = metric.control
    if control.high is None or not control.low:
        return math.inf
    return max(control.high, 1.0 / control.low)


def stands(held: Bounded, limit: float, noise: float, outcome: Outcome) -> bool:
    """Whether an outcome stands even if noise as large went against it."""
    if outcome == "pass":
        return held.high is not None and held.high * noise <= limit
    return held.low is None or held.low / noise > limit


def bounds_words(held: Bounded) -> str:
    """An estimate with its bounds, three decimals each."""
    return f"{number(held.estimate)} [{number(held.low)}, {number(held.high)}]"


def number(value: float | None) -> str:
    """The number with three decimals, `∞` for what is beyond every bound."""
    return "∞" if value is None or math.isinf(value) else f"{value:.3f}"


def _rank(result: RuleResult) -> tuple[int, float]:
    """The worst outcome first, then the farthest estimate."""
    far = math.inf if result.estimate is None else result.estimate
    return _WORST.index(result.outcome), -far
