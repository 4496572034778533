"""The base class of rules on a metric of a suite."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from difflib import get_close_matches
from math import ceil, floor, log10
from typing import Any, Literal

import numpy as np
from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from harness import stats
from harness.gate.agreement import too_little_agreement
from harness.gate.differences import BoundedMetric, Floats, bounded, value_range, worst_and_best
from harness.records.comparison import ComparisonRecord, PairedMetric
from harness.records.metric import SHARE, Metric
from harness.records.rule import (
    Misfit,
    Planned,
    Rule,
    special_kinds,
)
from harness.records.verdict import Outcome, RulePower, RuleResult
from harness.stats import Spread

Evidence = Literal["bound", "point", "scorer", "audited"]


class MetricRule(Rule):
    """A rule on a metric; a metric without bounds needs a `cap`, at which its values are cut.

    A metric that needs an audit decides a rule by its scorer's word only where the rule says
    `evidence: scorer`, or `audited` where its kind can be.
    """

    metric: str
    cap: float | None = Field(default=None, gt=0.0)
    evidence: Evidence | None = None
    # Below this alpha of Krippendorff's, what people said is no evidence.
    min_agreement: float | None = Field(default=None, gt=0.0, le=1.0)

    @model_serializer(mode="wrap")
    def _without_absent_keys(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        data: dict[str, Any] = handler(self)
        optional = ("cap", "evidence", "criterion", "min_agreement")
        absent = [key for key in optional if data.get(key, ...) is None]
        return {key: value for key, value in data.items() if key not in absent}

    @property
    def bounded_by_alpha(self) -> bool:
        """Whether the chance of a false pass is at most alpha."""
        return not self.by_estimate

    @property
    def value_cap(self) -> float | None:
        """At which size values of the metric are cut, None where they are not."""
        return self.cap

    def unaudited(self, metric: Metric) -> bool:
        """Whether people must audit the metric before the rule can go by it."""
        return metric.needs_audit and self.evidence not in ("scorer", "audited")

    @property
    def by_estimate(self) -> bool:
        """Whether the estimate alone decides, whatever its bounds are."""
        return False

    # What a kind says.

    @abstractmethod
    def claims(self) -> tuple[str, str]:
        """What passing shows of the metric, and what failing shows, each as "is ..."."""

    @abstractmethod
    def limit(self, metric: Metric) -> float:
        """The value that the interval is held against."""

    @abstractmethod
    def interval(self, terms: BoundedMetric, alpha: float) -> stats.Interval:
        """The interval that is held against the limit.

        Raises:
            ValueError: the metric cannot be computed.
        """

    @abstractmethod
    def misfit_with(self, metric: Metric, low: float, high: float) -> Misfit | None:
        """What is wrong with the rule's numbers for values from low to high."""

    @abstractmethod
    def seen_power(self, terms: BoundedMetric, sizes: Floats, alpha: float) -> RulePower:
        """The power by the spread that shows; `sizes` are the numbers of cases by group."""

    def expected_power(
        self, metric: Metric, sizes: Floats, discordance: float, alpha: float
    ) -> RulePower:
        """The power by the spread that is to be expected."""
        return self.no_power(ONLY_SEEN)

    # What follows for all of them.

    def passes_above(self, metric: Metric) -> bool:
        """Whether an estimate above the limit passes."""
        return self.good_side == "above" if self.good_side else not metric.lower_is_better

    def misfit(self, metrics: Mapping[str, Metric]) -> Misfit | None:
        """What is wrong with the rule for suites with these metrics, by full name."""
        metric = metrics.get(self.metric)
        if metric is None:
            return self._unknown(metrics)
        if metric.bounded and self.cap is not None:
            return Misfit("cap", f"{self.metric} has bounds of its own", "take `cap` out")
        if not metric.bounded and self.cap is None:
            return Misfit(
                "cap",
                f"{self.metric} has no bounds, so a rule on it needs a cap",
                f"write the value ({metric.unit}) at which a case's is cut, such as `cap: 10`",
            )
        try:
            low, high = value_range(metric, self.cap)
        except ValueError as error:
            return Misfit("cap", str(error), "write one beyond the metric's own bound")
        return self.misfit_with(metric, low, high)

    def _unknown(self, metrics: Mapping[str, Metric]) -> Misfit:
        kinds = special_kinds(self.metric)
        if kinds:
            problem = f"no rule `{self.require}` holds for {self.metric}"
            return Misfit("require", problem, f"write {' or '.join(kinds)}")
        near = get_close_matches(self.metric, metrics, n=1)
        hint = f"did you mean `{near[0]}`?" if near else f"there is {', '.join(metrics)}"
        return Misfit("metric", f"no metric `{self.metric}`", hint)

    def judge(self, comparison: ComparisonRecord, alpha: float) -> RuleResult:
        """The rule's result, each definite outcome at level alpha."""
        metric = comparison.metrics.get(self.metric)
        if metric is None:
            reason = f"no evidence for {self.metric}: no case has a value of it on both sides"
            return self.invalid(reason, self.limit(SHARE))
        if doubt := too_little_agreement(comparison, self.metric, self.min_agreement):
            return self.invalid(doubt, self.limit(metric.metric))
        return self._judge(metric, alpha)

    def evidence_of(self, metric: PairedMetric) -> PairedMetric:
        """What the rule goes by: the cases that both sides have a score for."""
        return metric

    def vacuous(self, planned: Planned | None, alpha: float) -> str:
        """Why the rule passes whatever a candidate does: the worst passes beside the best."""
        if planned is None or not planned.sizes:
            return ""
        groups = np.repeat(np.array(list(planned.sizes)), list(planned.sizes.values()))
        one = np.ones(groups.size)
        try:
            worst, best = worst_and_best(planned.metric, self.cap)
        except ValueError:
            return ""
        metric = PairedMetric(
            self.metric, worst * one, one, best * one, one, groups, metric=planned.metric
        )
        if self._judge(metric, alpha).outcome != "pass":
            return ""
        return f"{self.metric} {self.require}: {WORST_PASSES}"

    def _judge(self, metric: PairedMetric, alpha: float) -> RuleResult:
        try:
            terms = bounded(self.evidence_of(metric), self.cap)
            interval = self.interval(terms, alpha)
        except ValueError as error:
            reason = f"{self.metric} cannot be computed: {error}"
            return self.invalid(reason, self.limit(metric.metric))
        outcome = self.outcome_of(interval, terms)
        if self.unaudited(metric.metric):
            outcome = "inconclusive"
        more = self._left_out(terms)
        if metric.metric.needs_audit:
            more = f"; {UNAUDITED if self.unaudited(metric.metric) else BY_ITS_WORD}{more}"
        return self.result_of(metric, interval, outcome, more)

    def result_of(
        self, metric: PairedMetric, interval: stats.Interval, outcome: Outcome, more: str
    ) -> RuleResult:
        """The result that the interval leads to, and `more` than that behind its sentence.

        Raises:
            ValueError: the metric has no bounds, and the rule gives no cap.
        """
        terms = bounded(self.evidence_of(metric), self.cap)
        return RuleResult(
            metric=self.metric,
            require=self.require,
            outcome=outcome,
            candidate=terms.metric.candidate_value,
            baseline=bounded(metric, self.cap).metric.baseline_value,
            estimate=interval.estimate,
            ci_low=interval.low,
            ci_high=interval.high,
            limit=self.limit(metric.metric),
            p_value=None if self.scale == "value" else interval.p_value,
            n=interval.n,
            groups=interval.groups,
            reason=f"{self._sentence(outcome)}: {self._shown(interval, metric.metric)}{more}",
            definition=metric.metric.unless_share,
            cap=self.cap,
            cut=None if self.cap is None else terms.cut,
        )

    def _sentence(self, outcome: Outcome) -> str:
        """What the outcome says of the metric, in words."""
        passes, fails = self.claims()
        if outcome == "inconclusive":
            return f"it is unclear whether {self.metric} {passes}"
        return f"{self.metric} {passes if outcome == 'pass' else fails}"

    def outcome_of(self, interval: stats.Interval, terms: BoundedMetric) -> Outcome:
        """What the interval leads to."""
        metric = terms.metric.metric
        if self.by_estimate:  # as if the estimate were certain, but for cases without a score
            low, high = (
                terms.value_extremes if terms.metric.missing.size else 2 * (interval.estimate,)
            )
            interval = replace(interval, low=low, high=high)
        return (interval.at_least if self.passes_above(metric) else interval.at_most)(
            self.limit(metric)
        )

    def _shown(self, interval: stats.Interval, metric: Metric) -> str:
        """The estimate with its bounds and its unit; nothing stands for that of a share."""
        sign = "+" if self.scale == "difference" else ""
        unit = "" if self.scale == "ratio" or metric.unit == "share" else f" {metric.unit}"
        numbers = (interval.estimate, interval.low, interval.high)
        estimate, low, high = (f"{number:{sign}.3f}" for number in numbers)
        return f"{estimate} [{low}, {high}]{unit}"

    def _left_out(self, terms: BoundedMetric) -> str:
        """How cases without a score and values beyond the cap were treated, in words."""
        left_out = "; each group counts once" if terms.metric.by_groups else ""
        if terms.metric.missing.size:
            noun, lacks = ("group", "with a case ") if terms.metric.by_groups else ("case", "")
            count = _counted(terms.metric.missing.size, noun)
            left_out += (
                f"; {count} {lacks}without a score: lost in the lower bound, won in the upper"
            )
        if terms.cut:
            left_out += f"; {_counted(terms.cut, 'value')} beyond the cap of {self.cap:g} cut"
        return left_out

    def power(self, comparison: ComparisonRecord, alpha: float) -> RulePower:
        """The power of the rule with the groups and the spread of the comparison."""
        if self.by_estimate:
            return self.no_power(BY_ESTIMATE)
        metric = comparison.metrics.get(self.metric)
        if metric is None:
            return self.no_power("no case has a value of it on both sides")
        if self.unaudited(metric.metric):
            return self._powerless()
        metric = self.evidence_of(metric)
        counting = self._counting(metric)
        sizes = np.unique(counting.groups, return_counts=True)[1].astype(np.float64)
        try:
            found = self.seen_power(bounded(counting, self.cap), sizes, alpha)
        except ValueError as error:
            return self.no_power(str(error))
        if metric.by_groups and found.cases is not None:
            found = found.model_copy(update={"cases": counting.n})
        missing = metric.missing.size
        if not missing or found.detectable is None:
            return found
        # What has no score counts as lost, whatever the number of groups.
        span = self.span_of(metric.metric)[1]
        lost = span * (missing / (missing + metric.groups.size))
        reason = f"{missing} of its cases have no score and count as lost"
        if found.reason:
            reason = f"{found.reason}; {reason}"
        return found.model_copy(update={"detectable": found.detectable + lost, "reason": reason})

    def _counting(self, metric: PairedMetric) -> PairedMetric:
        """The metric without the cases that add nothing to it, such as an F1's true negatives.

        They move no bound, and a group of nothing else is none that the rule goes by.
        """
        theirs = 0.0 if self.scale == "value" else metric.baseline_den
        counts = (metric.candidate_den + theirs) > 0.0
        return replace(
            metric,
            cases=None if metric.cases is None else metric.cases[counts],
            candidate_num=metric.candidate_num[counts],
            candidate_den=metric.candidate_den[counts],
            baseline_num=metric.baseline_num[counts],
            baseline_den=metric.baseline_den[counts],
            groups=metric.groups[counts],
        )

    def planned_power(self, planned: Planned | None, alpha: float) -> RulePower:
        """The power of the rule before any request is sent; `planned` is None without cases."""
        if planned is None:
            return self.no_power("no cases of the suites here measure it")
        if len(planned.sizes) < 2:
            found = self.no_power("all cases are in one group, so a gate is INVALID")
            return found.model_copy(update={"possible": False})
        if self.unaudited(planned.metric):
            return self._powerless()
        if self.by_estimate:
            return self.no_power(BY_ESTIMATE)
        sizes = np.array(list(planned.sizes.values()), dtype=np.float64)
        return self.expected_power(planned.metric, sizes, planned.discordance, alpha)

    def _powerless(self) -> RulePower:
        return self.no_power(UNAUDITED).model_copy(update={"possible": False})

    def span_of(self, metric: Metric) -> tuple[float, float]:
        """The lowest value, and how far the highest is above it."""
        low, high = value_range(metric, self.cap)
        return low, high - low

    def power_of(
        self,
        spread: Spread,
        sizes: Floats,
        room: float | None,
        alpha: float,
        reach: float | None,
    ) -> RulePower:
        """The power for values between 0 and 1; `room` is the difference to detect.

        `reach` is how far beyond the limit a perfect candidate is, None where that is no question.
        """
        detectable = spread.detectable(alpha)
        needed, reason = (None, "") if reach is None else _out_of_reach(reach, sizes, alpha)
        if not reason and room is not None and 0.0 < room < detectable:
            needed = spread.groups_needed(room, alpha)
        return RulePower(
            metric=self.metric,
            require=self.require,
            cases=int(sizes.sum()),
            groups=spread.groups,
            room=room,
            detectable=detectable,
            groups_needed=needed,
            reason=reason,
            possible=not reason,
        )


WORST_PASSES = "even a candidate that is wrong in every case passes, so the rule decides nothing"
UNAUDITED = (
    "a model judged it, which may favour a side, and no people audited it: write "
    "`evidence: scorer` to trust its word, or `evidence: audited` to go by people's labels"
)
BY_ITS_WORD = "by a model's own word, whose errors are not in the interval"
BY_ESTIMATE = "judged by its estimate alone: the number of groups does not matter"
ONLY_SEEN = "the spread of a ratio is known only from answers: name a candidate"


def positive(room: float) -> float | None:
    """The distance if it is positive, else None."""
    return room if room > 0.0 else None


def rounded_up(number: float) -> float:
    """A positive number with two significant digits, never less than it was."""
    place = 1 - floor(log10(number))
    scale = 10.0**place
    return round(ceil(round(number * scale, 6)) / scale, max(place, 0))


def in_unit(power: RulePower, span: float) -> RulePower:
    """A power on the scale from 0 to 1 in the metric's unit."""
    if span == 1.0 or power.detectable is None:
        return power
    room = None if power.room is None else span * power.room
    return power.model_copy(update={"detectable": span * power.detectable, "room": room})


def _counted(count: int, word: str) -> str:
    return f"{count} {word}{'s' if count > 1 else ''}"


def _out_of_reach(reach: float, sizes: Floats, alpha: float) -> tuple[int | None, str]:
    """The groups needed, and a sentence, where even a perfect candidate could not pass."""
    perfect = Spread.planned(sizes, 0.0)
    if reach >= perfect.detectable(alpha):
        return None, ""
    needed = perfect.groups_needed(reach, alpha) if reach > 0.0 else None
    more = "no number of groups is enough" if needed is None else f"{needed} groups are needed"
    return needed, f"even a perfect candidate cannot pass with {sizes.size} groups; {more}"
