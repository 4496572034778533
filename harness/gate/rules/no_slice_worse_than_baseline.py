"""`no_slice_worse_than_baseline`: no slice of the suites lost more than its margin."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from harness import stats
from harness.gate.differences import bounded
from harness.gate.paired_metric import paired_metric
from harness.gate.rules.metric_rule import UNAUDITED
from harness.gate.rules.no_worse_than_baseline import NoWorseThanBaseline
from harness.records.comparison import ComparisonRecord, PairedCase, PairedMetric
from harness.records.metric import Metric
from harness.records.rule import Misfit, Planned, Rule, Scale
from harness.records.suite import Suite
from harness.records.verdict import Outcome, RulePower, RuleResult, SliceResult

Margin = Annotated[float, Field(ge=0.0)]
Patterns = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(min_length=1)]

_EXAMPLES = 3


class NoSliceWorseThanBaseline(Rule):
    """Every slice is worse than the baseline by at most its margin.

    A slice is a metric that one of `metrics` matches, or where `tags` are given the cases of it
    that have a tag which one of them matches. Two errors are controlled. It passes where each
    slice's own lower bound is within the margin: with one slice beyond its margin the chance of
    that is at most alpha (an intersection-union test, Berger 1982). It fails where the step-down
    p-values name a slice: the chance of naming any that is within its margin is at most alpha over
    all slices together. With `evidence: loss` it passes where it does not fail. Slices of a metric
    that needs an audit are unclear unless `evidence: scorer` trusts its scorer's word.
    """

    scale: ClassVar[Scale] = "difference"
    false_alarm: ClassVar[Outcome | None] = "fail"

    require: Literal["no_slice_worse_than_baseline"]
    metrics: Patterns
    tags: Patterns | None = None
    margin: Margin
    # Other margins, by patterns of metrics or tags; the first that matches a slice holds.
    margins: dict[str, Margin] = Field(default_factory=dict)
    cap: float | None = Field(default=None, gt=0.0)
    evidence: Literal["bound", "loss", "scorer"] = "bound"

    @model_serializer(mode="wrap")
    def _without_defaults(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        data: dict[str, Any] = handler(self)
        absent: dict[str, Any] = {"tags": None, "margins": {}, "cap": None, "evidence": "bound"}
        return {key: value for key, value in data.items() if value != absent.get(key, ...)}

    @property
    def value_cap(self) -> float | None:
        """At which size values of metrics without bounds are cut."""
        return self.cap

    @property
    def title(self) -> str:
        """The rule in words for a list of rules."""
        return f"`{self.require}` of {', '.join(self.metrics)}"

    @property
    def bounded_by_alpha(self) -> bool:
        """Whether the chance of a false pass is at most alpha."""
        return self.evidence != "loss"

    def metrics_among(self, names: Iterable[str]) -> tuple[str, ...]:
        """Which of these metrics a pattern matches."""
        return tuple(name for name in names if _matches(name, self.metrics))

    def misfit(self, metrics: Mapping[str, Metric]) -> Misfit | None:
        """What is wrong with the patterns and numbers for suites with these metrics."""
        for pattern in self.metrics:
            if not any(fnmatchcase(name, pattern) for name in metrics):
                problem = f"no metric matches `{pattern}`"
                return Misfit("metrics", problem, f"there is {', '.join(metrics)}")
        found = self.metrics_among(metrics)
        kinds = {(metrics[name].unit, metrics[name].direction): name for name in found}
        if len(kinds) > 1:
            problem = f"{' and '.join(list(kinds.values())[:2])} have no unit in common"
            return Misfit("metrics", problem, "write a rule for each unit, as it has one margin")
        unbounded = [name for name in found if not metrics[name].bounded]
        if self.cap is not None and not unbounded:
            return Misfit("cap", f"{found[0]} has bounds of its own", "take `cap` out")
        for name in found:
            problem_of_one = self._rule_on(name, "", metrics[name]).misfit(metrics)
            if problem_of_one is not None:
                return problem_of_one
        if not self.tags:
            return self._unused_margin([(name, "") for name in found])
        return None

    def misfit_in(self, suites: Sequence[Suite]) -> Misfit | None:
        """What is wrong with the tags, and which slice has too few groups to say anything."""
        groups: dict[tuple[str, str], set[str]] = defaultdict(set)
        tags: set[str] = set()
        known = True
        for suite in suites:
            for section in suite.sections:
                names = [f"{suite.name}.{section.name}.{one.name}" for one in section.metrics]
                wanted = self.metrics_among(names)
                known = known and not (wanted and not section.cases)
                for case in section.cases if wanted else ():
                    tags.update(case.tags)
                    for tag in self._slices_of(case.tags):
                        groups[wanted[0], tag].add(case.group)
        if self.tags and known:
            for pattern in self.tags:
                if not any(fnmatchcase(tag, pattern) for tag in tags):
                    there = f"there is {', '.join(sorted(tags))}" if tags else "no case has a tag"
                    return Misfit(
                        "tags", f"no tag of these metrics' cases matches `{pattern}`", there
                    )
            if misfit := self._unused_margin(list(groups)):
                return misfit
        for (name, tag), found in groups.items():
            if len(found) < 2:
                problem = f"all cases of {_slice_name(name, tag)} are in one group"
                return Misfit("tags" if tag else "metrics", problem, "add groups, or leave it out")
        return None

    def judge(self, comparison: ComparisonRecord, alpha: float) -> RuleResult:
        """The rule's result with that of each slice; the numbers are the worst slice's."""
        found: list[tuple[str, PairedMetric, RuleResult, stats.Slice]] = []
        for name, tag, metric in self._slices(comparison):
            label = _slice_name(name, tag)
            if metric is None:
                return self.invalid(f"no evidence for {label}: no case has a value on both sides")
            own = self._rule_on(name, tag, metric.metric).judge(_alone(comparison, metric), alpha)
            if own.outcome == "invalid":
                return self.invalid(f"{label}: {own.reason}")
            found.append((tag, metric, own, self._terms(metric, own)))
        if not found:
            return self.invalid("no case belongs to any of its slices")
        joint = stats.joint_bounds([terms for *_, terms in found], alpha=alpha)
        slices = tuple(
            _result(tag, metric, own, bounds, alpha, self._unaudited(metric.metric))
            for (tag, metric, own, _), bounds in zip(found, joint, strict=True)
        )
        result = self._summed_up(slices, [own for _, _, own, _ in found])
        if any(self._unaudited(metric.metric) for _, metric, *_ in found):
            unclear = {"outcome": "inconclusive", "reason": f"{result.reason}; {UNAUDITED}"}
            result = result.model_copy(update=unclear)
        return result

    def _summed_up(self, slices: tuple[SliceResult, ...], own: Sequence[RuleResult]) -> RuleResult:
        place = min(range(len(slices)), key=lambda one: slices[one].room)
        worst, numbers = slices[place], own[place]
        named = sorted((one for one in slices if one.outcome == "fail"), key=lambda one: one.room)
        unclear = [one for one in slices if one.outcome == "inconclusive"]
        outcome: Outcome = "pass"
        if named:
            outcome = "fail"
        elif unclear and self.evidence != "loss":
            outcome = "inconclusive"
        return numbers.model_copy(
            update={
                "metric": None,
                "require": self.require,
                "outcome": outcome,
                "reason": self._reason(outcome, named or unclear or [worst], slices),
                "slices": tuple(sorted(slices, key=lambda one: one.room)),
            }
        )

    def _reason(
        self, outcome: Outcome, told: Sequence[SliceResult], slices: Sequence[SliceResult]
    ) -> str:
        worst = sorted(told, key=lambda one: one.room)
        words = ", ".join(
            f"{one.name} {one.estimate:+.3f} [{one.ci_low:+.3f}, {one.ci_high:+.3f}]"
            for one in worst[:_EXAMPLES]
        )
        more = f" and {len(told) - _EXAMPLES} more" if len(told) > _EXAMPLES else ""
        total = f"{len(slices)} slice{'s' if len(slices) > 1 else ''}"
        if outcome == "fail":
            return f"{len(told)} of {total} lost more than the margin: {words}{more}"
        if outcome == "inconclusive":
            return f"it is unclear whether {len(told)} of {total} lost too much: {words}{more}"
        shown = "is shown to have lost" if self.evidence == "loss" else "lost"
        return f"none of {total} {shown} more than its margin; the nearest: {words}{more}"

    def power(self, comparison: ComparisonRecord, alpha: float) -> RulePower:
        """The power of the slice that can tell least beside its margin."""
        return self._weakest(
            (
                _slice_name(name, tag),
                self._rule_on(name, tag, metric.metric).power(_alone(comparison, metric), alpha),
            )
            for name, tag, metric in self._slices(comparison)
            if metric is not None
        )

    def power_among(self, planned: Mapping[str, Planned], alpha: float) -> RulePower:
        """The same, of what is planned."""
        found = []
        for name in self.metrics_among(planned):
            whole = planned[name]
            parts = whole.tagged if self.tags else {"": whole.sizes}
            for tag, sizes in parts.items():
                if not self.tags or _matches(tag, self.tags):
                    rule = self._rule_on(name, tag, whole.metric)
                    part = replace(whole, sizes=sizes)
                    found.append((_slice_name(name, tag), rule.planned_power(part, alpha)))
        return self._weakest(found)

    def _weakest(self, powers: Iterable[tuple[str, RulePower]]) -> RulePower:
        def lack(found: tuple[str, RulePower]) -> tuple[bool, float]:
            power = found[1]
            known = power.detectable is not None
            return power.possible and known, (power.room or 0.0) - (power.detectable or 0.0)

        known = list(powers)
        if not known:
            return self.no_power("no cases of the suites here belong to its slices")
        name, weakest = min(known, key=lack)
        if self.evidence == "loss":
            return self.no_power("it fails only where a loss is shown")
        among = f"of {len(known)} slices {name} can tell least"
        reason = f"{among}: {weakest.reason}" if weakest.reason else among
        return weakest.model_copy(
            update={"metric": None, "require": self.require, "reason": reason}
        )

    @classmethod
    def requirement(cls, result: RuleResult, amount: str) -> str:
        """What is required, in words."""
        return f"no slice worse than the baseline by more than {amount or 'its margin'}"

    # The slices.

    def _slices_of(self, tags: Iterable[str]) -> list[str]:
        """The slices that a case with these tags belongs to, by their tags; "" is the whole."""
        return [""] if not self.tags else [tag for tag in tags if _matches(tag, self.tags)]

    def _slices(
        self, comparison: ComparisonRecord
    ) -> Iterable[tuple[str, str, PairedMetric | None]]:
        """Each slice's metric, tag and terms, None where no case of it has any."""
        planned = (
            f"{plan.suite}.{plan.section}.{metric.name}"
            for plan in comparison.baseline.header.sections
            for metric in plan.metrics
        )
        names = self.metrics_among(dict.fromkeys((*comparison.metrics, *planned)))
        if not self.tags:
            for name in names:
                yield name, "", comparison.metrics.get(name)
            return
        by_place: defaultdict[tuple[str, str], list[PairedCase]] = defaultdict(list)
        for case in comparison.cases:
            for tag in self._slices_of(dict.fromkeys(case.tags)):
                by_place[f"{case.suite}.{case.section}", tag].append(case)
        for name in names:
            place, whole = name.rpartition(".")[0], comparison.metrics.get(name)
            if whole is None:
                yield name, "", None
                continue
            for (section, tag), cases in sorted(by_place.items()):
                if section != place:
                    continue
                part = paired_metric(name, whole.metric, cases, comparison.weigh)
                if part is not None or any(case.change == "not_comparable" for case in cases):
                    yield name, tag, part

    def _rule_on(self, name: str, tag: str, metric: Metric) -> NoWorseThanBaseline:
        """The rule on the slice alone."""
        return NoWorseThanBaseline(
            require="no_worse_than_baseline",
            metric=name,
            margin=self._margin(name, tag),
            cap=None if metric.bounded else self.cap,
            evidence="scorer" if self.evidence == "scorer" else None,
        )

    def _unaudited(self, metric: Metric) -> bool:
        return metric.needs_audit and self.evidence != "scorer"

    def _margin(self, name: str, tag: str) -> float:
        matching = (
            margin for pattern, margin in self.margins.items()
            if fnmatchcase(name, pattern) or (tag and fnmatchcase(tag, pattern))
        )  # fmt: skip
        return next(matching, self.margin)

    def _unused_margin(self, slices: Sequence[tuple[str, str]]) -> Misfit | None:
        names = {one for pair in slices for one in pair if one}
        for pattern in self.margins:
            if not any(fnmatchcase(name, pattern) for name in names):
                return Misfit("margins", f"no slice matches `{pattern}`", "check the pattern")
        return None

    def _terms(self, metric: PairedMetric, own: RuleResult) -> stats.Slice:
        """The slice's terms on a scale from 0 to 1 of which more is better."""
        terms = bounded(metric, own.cap)
        c_num, c_den, b_num, b_den = terms.arms
        if metric.metric.lower_is_better:
            c_num, c_den, b_num, b_den = b_num, b_den, c_num, c_den
        suite = metric.name.partition(".")[0]
        limit = -abs(own.limit or 0.0) / terms.span
        groups, missing = _in_suite(metric.groups, suite), _in_suite(metric.missing, suite)
        return stats.Slice(c_num, c_den, b_num, b_den, groups, missing, limit)


def _result(
    tag: str,
    metric: PairedMetric,
    own: RuleResult,
    joint: stats.Joint,
    alpha: float,
    unaudited: bool,
) -> SliceResult:
    """A slice's result: lost by the step-down p-value, else what its own bounds say."""
    span = bounded(metric, own.cap).span
    low, high = span * joint.low, span * joint.high
    if metric.metric.lower_is_better:
        low, high = -high, -low
    lost = joint.p_value <= alpha and not unaudited
    kept: Outcome = "pass" if own.outcome == "pass" else "inconclusive"
    return SliceResult(
        metric=metric.name,
        tag=tag or None,
        outcome="fail" if lost else kept,
        candidate=own.candidate,
        baseline=own.baseline,
        estimate=own.estimate or 0.0,
        ci_low=own.ci_low or 0.0,
        ci_high=own.ci_high or 0.0,
        joint_low=low,
        joint_high=high,
        limit=own.limit or 0.0,
        p_value=joint.p_value,
        n=own.n or 0,
        groups=own.groups or 0,
        definition=own.definition,
    )


def _in_suite(groups: npt.NDArray[np.str_], suite: str) -> npt.NDArray[np.str_]:
    """The groups under names that those of another suite do not have."""
    return np.array([f"{suite}/{group}" for group in groups], dtype=np.str_)


def _alone(comparison: ComparisonRecord, metric: PairedMetric) -> ComparisonRecord:
    return replace(comparison, metrics={metric.name: metric})


def _matches(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _slice_name(metric: str, tag: str) -> str:
    return f"{metric}[{tag}]" if tag else metric
