"""A kind of rule that no line of the package knows: no group of cases may be too bad."""

from __future__ import annotations

from typing import Literal

import numpy as np

from harness.records.comparison import ComparisonRecord
from harness.records.rule import Planned, Rule
from harness.records.verdict import RulePower, RuleResult


class WorstGroupAtLeast(Rule):
    """The candidate's mean over each group of cases is at least `value`."""

    good_side = "above"

    require: Literal["worst_group_at_least"]
    metric: str
    value: float

    def judge(self, comparison: ComparisonRecord, alpha: float) -> RuleResult:
        metric = comparison.metrics[self.metric]
        names = np.unique(metric.groups)
        means = {
            str(name): float(metric.candidate_num[metric.groups == name].mean()) for name in names
        }
        worst = min(means, key=lambda name: means[name])
        good = means[worst] >= self.value
        return RuleResult(
            metric=self.metric,
            require=self.require,
            outcome="pass" if good else "fail",
            candidate=metric.candidate_value,
            baseline=metric.baseline_value,
            estimate=means[worst],
            limit=self.value,
            n=metric.groups.size,
            groups=names.size,
            reason=f"{self.metric} of group {worst} is {means[worst]:.3f}, {self.value:g} is asked",
        )

    def power(self, comparison: ComparisonRecord, alpha: float) -> RulePower:
        return self.no_power("the worst group has no spread")

    def planned_power(self, planned: Planned | None, alpha: float) -> RulePower:
        return self.no_power("the worst group has no spread")

    @classmethod
    def requirement(cls, result: RuleResult, amount: str) -> str:
        return f"at least {amount} in every group"
