"""`no_worse_than_baseline` on `finishes`: the candidate's answers come to their end."""

from __future__ import annotations

from collections import defaultdict
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from harness import stats
from harness.records.comparison import ComparisonRecord
from harness.records.rule import Planned, Rule, Scale
from harness.records.verdict import Outcome, RulePower, RuleResult

FINISHES: Literal["finishes"] = "finishes"
_NO_DISTANCE = "it fails only if more answers are cut off than chance explains"


class FinishesNoWorse(Rule):
    """The share of cut-off answers is not shown to be larger than the baseline's by the margin.

    A lost end-of-text token is the commonest accident of fine-tuning, and a scorer may well find
    what it looks for in the part before the cut. So this rule looks for harm: it fails where the
    upper confidence bound of the difference is below minus the margin, and passes otherwise.
    """

    namespace: ClassVar[str] = FINISHES
    scale: ClassVar[Scale] = "difference"
    false_alarm: ClassVar[Outcome | None] = "fail"
    good_side: ClassVar[Literal["above", "below"] | None] = "above"

    metric: Literal["finishes"] = FINISHES
    require: Literal["no_worse_than_baseline"] = "no_worse_than_baseline"
    margin: float = Field(default=0.01, ge=0.0, lt=1.0)

    @classmethod
    def takes(cls, metric: str | None) -> bool:
        """Whether the rule is on `finishes`."""
        return metric == FINISHES

    @classmethod
    def suite_of(cls, metric: str | None) -> str | None:
        """None: the rule concerns the answers to all suites."""
        return None

    def judge(self, comparison: ComparisonRecord, alpha: float) -> RuleResult:
        """The rule's result; a failure is shown at level alpha."""
        ended: defaultdict[tuple[str, str], list[tuple[bool, bool]]] = defaultdict(list)
        for case in comparison.cases:
            both = case.candidate_attempt.state, case.baseline_attempt.state
            if "failed" not in both:
                place = f"{case.suite}/{case.group}", case.path
                ended[place].append((both[0] != "truncated", both[1] != "truncated"))
        if len({group for group, _ in ended}) < 2:
            what = "finishes: the cases that both sides answered are in fewer than two groups"
            return self.invalid(what, -self.margin)
        shares = np.array([np.mean(each, axis=0) for each in ended.values()], dtype=np.float64)
        groups = np.array([group for group, _ in ended], dtype=np.str_)
        found = stats.paired_difference(shares[:, 0], shares[:, 1], groups, alpha=alpha)
        outcome: Outcome = "fail" if found.high < -self.margin else "pass"
        cut = 100 * (1 - shares.mean(axis=0))
        reason = (
            f"{cut[0]:.1f} % of the candidate's answers are cut off, {cut[1]:.1f} % of the "
            f"baseline's: {found.estimate:+.3f} [{found.low:+.3f}, {found.high:+.3f}]"
        )
        return RuleResult(
            metric=self.metric,
            require=self.require,
            outcome=outcome,
            candidate=float(shares[:, 0].mean()),
            baseline=float(shares[:, 1].mean()),
            estimate=found.estimate,
            ci_low=found.low,
            ci_high=found.high,
            limit=-self.margin,
            p_value=found.p_value,
            n=found.n,
            groups=found.groups,
            reason=reason,
        )

    def power(self, comparison: ComparisonRecord, alpha: float) -> RulePower:
        """No power: the rule looks for harm."""
        return self.no_power(_NO_DISTANCE)

    def planned_power(self, planned: Planned | None, alpha: float) -> RulePower:
        """No power: the rule looks for harm."""
        return self.no_power(_NO_DISTANCE)

    @classmethod
    def requirement(cls, result: RuleResult, amount: str) -> str:
        """What is required, in words."""
        return f"no more answers cut off than the baseline's{f' + {amount}' if amount else ''}"
