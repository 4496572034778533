"""The base class of rules that people's labels can decide together with the scores."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from math import ceil

import numpy as np
from pydantic import Field

from harness import stats
from harness.gate.audit import AuditedMetric, audited
from harness.gate.audit_result import AuditResult
from harness.gate.differences import Floats, bounded
from harness.gate.rules.metric_rule import MetricRule, positive
from harness.records.comparison import ComparisonRecord, PairedMetric
from harness.records.label import CORRECT
from harness.records.metric import Metric
from harness.records.rule import USUAL_DISCORDANCE, Misfit, Planned
from harness.records.verdict import RulePower, RuleResult


class AuditableRule(MetricRule):
    """A rule on a metric that is audited where it says `evidence: audited`.

    Labels by the `criterion`, which is `correct` unless it is named, then correct the scores.
    """

    criterion: str | None = Field(default=None, min_length=1)

    @property
    def audited(self) -> bool:
        """Whether people's labels decide it together with the scores."""
        return self.evidence == "audited"

    @abstractmethod
    def audited_interval(self, people: AuditedMetric, alpha: float) -> stats.Interval:
        """The interval that is held against the limit, as people would label all cases.

        Raises:
            ValueError: fewer than two groups are labelled.
        """

    def audited_room(self, distance: float) -> float | None:
        """The distance that labels have to show; the estimate lies so far on the good side."""
        return positive(distance)

    def misfit(self, metrics: Mapping[str, Metric]) -> Misfit | None:
        """What is wrong with the rule for suites with these metrics, by full name."""
        if self.criterion is not None and not self.audited:
            what = "a criterion of people's labels goes with `evidence: audited`"
            return Misfit("criterion", what, "write that too, or take `criterion` out")
        return super().misfit(metrics)

    def judge(self, comparison: ComparisonRecord, alpha: float) -> RuleResult:
        """The rule's result, each definite outcome at level alpha."""
        metric = comparison.metrics.get(self.metric)
        if metric is None or not self.audited:
            return super().judge(comparison, alpha)
        try:
            audit = self._audit(comparison, metric, alpha)
        except ValueError as error:
            return self.invalid(
                f"{self.metric} cannot be audited: {error}", self.limit(metric.metric)
            )
        terms = bounded(self.evidence_of(metric), self.cap)
        outcome = "inconclusive" if audit.people is None else self.outcome_of(audit.interval, terms)
        more = audit.words(self.limit(metric.metric), certain=outcome != "inconclusive")
        return self.result_of(metric, audit.interval, outcome, more)

    def power(self, comparison: ComparisonRecord, alpha: float) -> RulePower:
        """The power of the rule with the groups and the spread of the comparison."""
        if self.audited and self.metric in comparison.metrics:
            return self._audited_power(comparison, alpha)
        return super().power(comparison, alpha)

    def planned_power(self, planned: Planned | None, alpha: float) -> RulePower:
        """The power of the rule before any request is sent; `planned` is None without cases."""
        if not self.audited or planned is None or len(planned.sizes) < 2:
            return super().planned_power(planned, alpha)
        sizes = np.array(list(planned.sizes.values()), dtype=np.float64)
        return self._planned_audit(planned, sizes, alpha)

    def _audit(
        self, comparison: ComparisonRecord, metric: PairedMetric, alpha: float
    ) -> AuditResult:
        """What people's labels make of the metric.

        Raises:
            ValueError: the metric cannot be computed, or not be audited.
        """
        scorer = self.interval(bounded(self.evidence_of(metric), self.cap), alpha)
        criterion, value = self.criterion or CORRECT, self.scale == "value"
        people = audited(comparison, metric, criterion, self.cap, alone=value)
        planned = Planned(metric.metric, people.sizes, USUAL_DISCORDANCE)
        ends = (people.low, people.low + people.span) if value else (-people.span, people.span)
        result = AuditResult(people, criterion, scorer, comparison.labels_left_out, ends)
        if people.labelled < 2:
            return replace(result, needed=self._labels_needed(planned, alpha))
        return replace(result, people=self.audited_interval(people, alpha))

    def _labels_needed(self, planned: Planned, alpha: float) -> int | None:
        """How many groups show the rule's distance by labels alone; None where all are too few."""
        sizes = np.full(2, np.mean(list(planned.sizes.values())))
        found = self.expected_power(planned.metric, sizes, planned.discordance, alpha).groups_needed
        return None if found is None or found > len(planned.sizes) else found

    def _audited_power(self, comparison: ComparisonRecord, alpha: float) -> RulePower:
        metric = comparison.metrics[self.metric]
        try:
            audit = self._audit(comparison, metric, alpha)
        except ValueError as error:
            return self.no_power(str(error))
        found, groups = audit.interval, audit.metric.labelled
        if audit.people is None:
            words = audit.words(self.limit(metric.metric), certain=False).lstrip("; ")
            return self.no_power(words).model_copy(update={"groups_needed": audit.needed})
        gain = found.estimate - self.limit(metric.metric)
        good = gain if self.passes_above(metric.metric) else -gain
        room, detectable = self.audited_room(good), audit.detectable(alpha)
        return RulePower(
            metric=self.metric,
            require=self.require,
            cases=found.n,
            groups=groups,
            room=room,
            detectable=detectable,
            groups_needed=None
            if not room or room >= detectable
            else ceil(groups * (detectable / room) ** 2),
            reason=f"groups are those of {len(audit.metric.sizes)} that people labelled",
        )

    def _planned_audit(self, planned: Planned, sizes: Floats, alpha: float) -> RulePower:
        count = min(planned.labelled or sizes.size, sizes.size)
        some = np.sort(sizes)[np.linspace(0, sizes.size - 1, count).astype(int)]
        found = self.expected_power(planned.metric, some, planned.discordance, alpha)
        reason = f"if people label {count} of its {sizes.size} groups and the scorer helps nothing"
        reason = f"{found.reason}; {reason}" if found.reason else reason
        return found.model_copy(update={"reason": reason})
