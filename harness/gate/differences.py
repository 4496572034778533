"""Paired differences between candidate and baseline, metric by metric."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from harness import stats
from harness.records.comparison import ComparisonRecord, PairedMetric
from harness.records.metric import Metric
from harness.records.rule import Policy
from harness.records.verdict import Regression, Verdict

Floats = npt.NDArray[np.float64]
_ROUNDING = 1e-9
NO_MEAN = "a ratio of a metric that is not a mean over cases is not defined here"


@dataclass(frozen=True, slots=True)
class BoundedMetric:
    """A paired metric whose values lie between `low` and `high`, as the statistics need it.

    `cut` counts the values of both sides that lay beyond the cap and were cut there. `arms` are the
    terms on a scale on which `low` is 0 and `high` is 1, the candidate's num and den first.
    """

    metric: PairedMetric
    low: float
    high: float
    cut: int
    arms: tuple[Floats, Floats, Floats, Floats]

    @property
    def span(self) -> float:
        """The largest difference between two values."""
        return self.high - self.low

    @property
    def value_extremes(self) -> tuple[float, float]:
        """The candidate's value with every case that lacks a score lost, and with each won."""
        num, den, *_ = self.arms
        lacking = self.metric.missing.size * float(den.max())
        total = float(den.sum()) + lacking
        least = self.low + self.span * float(num.sum()) / total
        return least, least + self.span * lacking / total

    def difference(self, alpha: float) -> stats.Interval:
        """Candidate minus baseline in the metric's unit with its bounds, at level alpha each.

        Raises:
            ValueError: the metric cannot be computed.
        """
        missing = self.metric.missing
        found = stats.paired_difference_of_ratios(
            *self.arms, self.metric.groups, alpha=alpha, missing=missing
        )
        return self._of_cases(scaled(found, self.span, 0.0))

    def value(self, alpha: float) -> stats.Interval:
        """The candidate's value in the metric's unit with its bounds, at level alpha each.

        Raises:
            ValueError: the metric cannot be computed.
        """
        num, den, *_ = self.arms
        missing = self.metric.missing
        found = stats.ratio_of_sums(num, den, self.metric.groups, alpha=alpha, missing=missing)
        return self._of_cases(scaled(found, self.span, self.low))

    def ratio(self, alpha: float) -> stats.Interval:
        """Candidate over baseline with its bounds, at level alpha each.

        Raises:
            ValueError: the metric can be negative, is no mean over cases, or is 0 on a side.
        """
        if not self.metric.is_mean:
            raise ValueError(NO_MEAN)
        if self.low < 0.0:
            raise ValueError("a ratio of a metric that can be negative says nothing")
        found = stats.paired_ratio(
            self.metric.candidate_num,
            self.metric.baseline_num,
            self.metric.groups,
            alpha=alpha,
            ceiling=self.high,
            missing=self.metric.missing,
        )
        return self._of_cases(found)

    def _of_cases(self, found: stats.Interval) -> stats.Interval:
        """The interval with the number of cases, where it was told that of the groups."""
        return replace(found, n=self.metric.n)


def value_range(metric: Metric, cap: float | None) -> tuple[float, float]:
    """The lowest and the highest value: the metric's bounds, or the cap where it has none.

    Raises:
        ValueError: the metric has no bound there, and there is no cap.
    """
    if cap is None and None in (metric.low, metric.high):
        raise ValueError("it has no bounds, and no rule on it gives a cap")
    low = -(cap or 0.0) if metric.low is None else metric.low
    high = cap or 0.0 if metric.high is None else metric.high
    if low >= high:
        raise ValueError(f"a cap of {cap:g} leaves no range of values")
    return low, high


def worst_and_best(metric: Metric, cap: float | None) -> tuple[float, float]:
    """The worst and the best value by the metric's direction.

    Raises:
        ValueError: the metric has no bound there, and there is no cap.
    """
    low, high = value_range(metric, cap)
    return (high, low) if metric.lower_is_better else (low, high)


def bounded(metric: PairedMetric, cap: float | None = None) -> BoundedMetric:
    """The metric on the scale of its range, values beyond the cap cut there.

    Raises:
        ValueError: it has no bounds and there is no cap.
    """
    low, high = value_range(metric.metric, cap)
    kept, cut = metric, 0
    if not metric.metric.bounded:
        ends = (
            low if metric.metric.low is None else None,
            high if metric.metric.high is None else None,
        )
        ours, cut_ours = _cut(metric.candidate_num, metric.candidate_den, *ends)
        theirs, cut_theirs = _cut(metric.baseline_num, metric.baseline_den, *ends)
        kept = replace(metric, candidate_num=ours, baseline_num=theirs)
        cut = cut_ours + cut_theirs
    ours = _unit(kept.candidate_num, kept.candidate_den, low, high)
    theirs = _unit(kept.baseline_num, kept.baseline_den, low, high)
    return BoundedMetric(
        kept, low, high, cut, (ours, kept.candidate_den, theirs, kept.baseline_den)
    )


def difference(metric: PairedMetric, alpha: float, cap: float | None = None) -> stats.Interval:
    """Candidate minus baseline in the metric's unit with its bounds, at level alpha each.

    Raises:
        ValueError: the metric cannot be computed, or has no bounds and there is no cap.
    """
    return bounded(metric, cap).difference(alpha)


def computable(
    metrics: Mapping[str, PairedMetric], alpha: float, limits: Mapping[str, float]
) -> dict[str, stats.Interval]:
    """The difference in each of the metrics that can be computed; `limits` are their caps."""
    found = {}
    for name, metric in metrics.items():
        with contextlib.suppress(ValueError):  # a rule on it says what is wrong
            found[name] = difference(metric, alpha, limits.get(name))
    return found


def _cut(num: Floats, den: Floats, low: float | None, high: float | None) -> tuple[Floats, int]:
    """The terms with each value between the ends that are given, and how many were not."""
    kept = num
    if low is not None:
        kept = np.maximum(kept, low * den)
    if high is not None:
        kept = np.minimum(kept, high * den)
    return kept, int((np.abs(kept - num) > _ROUNDING * (np.abs(num) + den)).sum())


def _unit(num: Floats, den: Floats, low: float, high: float) -> Floats:
    """The numerators of values as shares of the range from low to high."""
    if (low, high) == (0.0, 1.0):
        return num
    scaled = (num - low * den) / (high - low)
    # What rounding puts beyond an end is put back, what lies beyond it is refused later.
    near = _ROUNDING * np.maximum(den, 1.0)
    return np.where(np.abs(scaled) <= near, np.maximum(scaled, 0.0), scaled)


def scaled(found: stats.Interval, span: float, low: float) -> stats.Interval:
    """The interval of shares of a range, in the unit of the range."""
    if (span, low) == (1.0, 0.0):
        return found
    estimate, start, end = (low + span * one for one in (found.estimate, found.low, found.high))
    return replace(found, estimate=estimate, low=start, high=end)


def with_regressions(verdict: Verdict, comparison: ComparisonRecord) -> Verdict:
    """The verdict with the metrics that are worse, whatever its rules ask."""
    limits = caps((rule.metric, rule.cap) for rule in verdict.rules)
    alpha = verdict.alpha if verdict.ended is None else verdict.ended.level
    tested = losses(comparison, alpha, limits)
    found = regressions(tested, alpha)
    return verdict.model_copy(update={"regressions": found, "metrics_compared": len(tested)})


def caps(given: Iterable[tuple[str | None, float | None]]) -> dict[str, float]:
    """The cap of each metric that is given one, the least of several."""
    found: dict[str, float] = {}
    for metric, cap in given:
        if metric is not None and cap is not None:
            found[metric] = min(cap, found.get(metric, cap))
    return found


def policy_caps(policy: Policy | None) -> dict[str, float]:
    """The cap that the policy's rules give each metric; none without a policy."""
    rules = () if policy is None else policy.rules
    return caps((rule.metric_name, rule.value_cap) for rule in rules)


def regressions(tested: Iterable[Regression], alpha: float) -> tuple[Regression, ...]:
    """The tested metrics that are significantly worse than the baseline's, the most certain first.

    The chance of naming any of them falsely is at most alpha, however many were tested.
    """
    found = (each for each in tested if each.p_value <= alpha)
    return tuple(sorted(found, key=lambda each: each.p_value))


def losses(
    comparison: ComparisonRecord, alpha: float, limits: Mapping[str, float] | None = None
) -> tuple[Regression, ...]:
    """Every metric that can be computed, with its p-value for being worse than the baseline's.

    The p-values are one-sided and Holm-corrected for all of these metrics; the bounds are at
    `alpha` each and not corrected. A metric without bounds needs a cap, given in `limits`.
    """
    found = computable(comparison.metrics, alpha, limits or {})
    corrected = stats.holm(
        [_worse(interval, comparison.metrics[name].metric) for name, interval in found.items()]
    )
    return tuple(
        Regression(
            metric=name,
            estimate=interval.estimate,
            ci_low=interval.low,
            ci_high=interval.high,
            p_value=float(p_value),
            n=interval.n,
            groups=interval.groups,
            definition=comparison.metrics[name].metric.unless_share,
        )
        for (name, interval), p_value in zip(found.items(), corrected, strict=True)
    )


def _worse(interval: stats.Interval, metric: Metric) -> float:
    """The one-sided p-value for a loss; 1 where the metric did not get worse."""
    loss = interval.estimate > 0.0 if metric.lower_is_better else interval.estimate < 0.0
    return interval.p_value / 2.0 if loss else 1.0
