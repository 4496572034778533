"""A verdict: what the policy makes of a comparison, rule by rule, and what each rule can tell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar, Literal

from pydantic import Field, model_validator

from harness.records.base import Record
from harness.records.cost import Spending
from harness.records.latency import LatencySection
from harness.records.leakage import Leakage
from harness.records.metric import OfMetric
from harness.records.summary import Accounting


class RulePower(Record):
    """What a rule can tell, in units of its metric; a ratio's distances are on the ratio.

    `room` is the distance that has to show: the rule's own margin, or for a rule without one how
    far the estimate lies on the good side of the limit, None if it does not. `detectable` is the
    smallest distance that shows four times out of five, None where `reason` says why there is
    none. `groups_needed` is how many groups the room asks for, None where those at hand are enough
    or no number is. `possible` is false where no candidate can pass, however good.
    """

    metric: str | None = None
    require: str
    cases: int | None = None
    groups: int | None = None
    room: float | None = None
    detectable: float | None = None
    groups_needed: int | None = None
    reason: str = ""
    possible: bool = True

    @property
    def enough(self) -> bool | None:
        """Whether the room is no finer than what the suite can tell; None where there is none."""
        if self.room is None or self.detectable is None:
            return None
        return self.room >= self.detectable


Decision = Literal["PROMOTE", "BLOCK", "INCONCLUSIVE", "INVALID"]
Outcome = Literal["pass", "fail", "inconclusive", "invalid"]
# A verdict as the outcome of a rule.
OUTCOMES: dict[Decision, Outcome] = {
    "PROMOTE": "pass", "BLOCK": "fail", "INCONCLUSIVE": "inconclusive", "INVALID": "invalid",
}  # fmt: skip

# The codes of warnings of how the evidence came about.
CHANGED = frozenset({"suite-changed", "policy-changed"})
PAST = CHANGED | {"looks", "wear", "budget", "stored-answers"}
# What the result of the holdout suite requires; it stands behind those of the policy's rules.
HOLDOUT = "holdout"
# How the first problem of a verdict begins that was given before everything was answered.
BROKEN_OFF = "broken off by Ctrl-C: "
EXIT_CODES: dict[Decision, int] = {"PROMOTE": 0, "BLOCK": 1, "INVALID": 3, "INCONCLUSIVE": 4}


class SliceResult(OfMetric):
    """What a rule over many slices found of one of them, in the unit of its metric.

    `outcome` is `fail` where the slice is named as worse than the baseline by more than its margin,
    which is wrong of any slice with a chance of at most alpha; `pass` where its own interval
    excludes that. `ci_low` and `ci_high` are that interval, `joint_low` and `joint_high` hold for
    all slices at once. `p_value` is one-sided, against a loss of the margin, and adjusted. A slice
    is all cases of the metric where `tag` is empty.
    """

    LEFT_OUT: ClassVar[tuple[str, ...]] = ("definition", "tag")

    metric: str
    tag: str | None = None
    outcome: Outcome
    candidate: float | None = None  # a seal leaves out what is None
    baseline: float | None = None
    estimate: float
    ci_low: float
    ci_high: float
    joint_low: float
    joint_high: float
    limit: float
    p_value: float
    n: int
    groups: int

    @property
    def name(self) -> str:
        """The metric, and the tag in brackets."""
        return f"{self.metric}[{self.tag}]" if self.tag else self.metric

    @property
    def room(self) -> float:
        """How far the estimate is on the good side of the limit; negative beyond it."""
        lower = self.definition is not None and self.definition.lower_is_better
        return self.limit - self.estimate if lower else self.estimate - self.limit


class RuleWithout(Record):
    """A rule's numbers and outcome without the groups that stand in training data."""

    outcome: Outcome
    candidate: float | None = None
    baseline: float | None = None
    estimate: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    n: int | None = None
    groups: int | None = None


class RuleResult(OfMetric):
    """One rule's outcome with the numbers that decided it.

    `limit` is the value the interval was held against, on the scale of `estimate`; `p_value` is
    two-sided, against no difference, and absent where a rule looks at the candidate alone.
    `detectable` is how far from the limit the truth must be for the rule to pass four times out of
    five, with these groups and this spread, and `groups_needed` how many groups a smaller margin
    asks for. `noise` is how far two askings of the baseline differ in the metric, where measured.
    `cap` is the value at which those of a metric without bounds were cut, `cut` how many were.
    `slices` are those of a rule on many of them, the worst first; the numbers are then its.
    `without_leaked` has the numbers without the groups in training data, where that is others.
    Where cases are asked in looks, `look` is the one that decided the rule and `level` that of its
    bounds.
    """

    LEFT_OUT: ClassVar[tuple[str, ...]] = (
        "definition", "cap", "cut", "slices", "without_leaked", "look", "level",
    )  # fmt: skip

    metric: str | None = None
    require: str
    outcome: Outcome
    candidate: float | None = None
    baseline: float | None = None
    estimate: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    limit: float | None = None
    p_value: float | None = None
    n: int | None = None
    groups: int | None = None
    reason: str
    detectable: float | None = None
    groups_needed: int | None = None
    noise: float | None = None
    cap: float | None = None
    cut: int | None = None
    slices: tuple[SliceResult, ...] | None = None
    without_leaked: RuleWithout | None = None
    look: int | None = None
    level: float | None = None


class Regression(OfMetric):
    """A metric that is worse than the baseline's, whatever the policy asks of it.

    `p_value` is one-sided and Holm-corrected for all metrics that were looked at.
    """

    metric: str
    estimate: float
    ci_low: float
    ci_high: float
    p_value: float
    n: int
    groups: int


class EvidenceWarning(Record):
    """A sign that what measures the two sides favours one of them; it decides nothing.

    `place` is a section or a metric by its full name, `cases` the full names of some examples.
    """

    code: str
    place: str
    what: str
    cases: tuple[str, ...] = ()


class EarlyEnd(Record):
    """Where a gate ended that asks its cases in looks.

    It ended at `look` of `looks`, whose bounds have the level `level`. `cases` is how many the
    sections asked in looks have, and `not_asked` how many of them were not asked, by
    `suite.section`; they are planned nowhere.
    """

    look: int
    looks: int
    level: float
    why: str
    cases: int
    not_asked: dict[str, int]

    @property
    def words(self) -> str:
        """Where the gate ended and why, and what was not asked, in one sentence."""
        left = sum(self.not_asked.values())
        where = ", ".join(f"{count:,} of {place}" for place, count in self.not_asked.items())
        asked = f"{self.cases - left:,} of {self.cases:,} cases asked"
        more = f"; not asked: {where}" if left else ""
        return f"ended at look {self.look} of {self.looks}, {self.why}: {asked}{more}"

    @property
    def reading(self) -> str:
        """How to read the numbers of such a gate."""
        return (
            "each rule has the interval of the look that decided it, at a level at which all looks "
            "together keep alpha, so it holds whenever a gate ends; an estimate is the plain value "
            "of what was judged by then, and lies a little further to the side that decided it"
        )


class VerdictHashes(Record):
    """What the verdict is bound to; a promotion checks each of them again.

    `config` is the digest of the whole configuration, and `rests_on` has that of each part of
    suites and configuration that the verdict rests on, by its name. Verdicts of earlier versions
    have no parts and are held to the whole.
    """

    suites: str
    config: str
    candidate: str
    baseline: str
    rests_on: dict[str, str] = Field(default_factory=dict, exclude_if=lambda parts: not parts)

    def differences(self, other: VerdictHashes) -> tuple[str, ...]:
        """The names of what differs between the two, as far as a verdict rests on it."""
        found = [
            name
            for field, name in (("candidate", "the candidate's run"), ("baseline", "the baseline"))
            if getattr(self, field) != getattr(other, field)
        ]
        if not self.rests_on or not other.rests_on:
            whole = (("suites", "the suites"), ("config", "the configuration"))
            named = [name for key, name in whole if getattr(self, key) != getattr(other, key)]
        else:
            parts = dict.fromkeys((*self.rests_on, *other.rests_on))
            named = [one for one in parts if self.rests_on.get(one) != other.rests_on.get(one)]
        return (*named, *found)


def decide(problems: Sequence[str], outcomes: Iterable[Outcome]) -> Decision:
    """INVALID over BLOCK over INCONCLUSIVE over PROMOTE."""
    found = set(outcomes)
    if problems or "invalid" in found or not found:
        return "INVALID"
    if "fail" in found:
        return "BLOCK"
    return "INCONCLUSIVE" if "inconclusive" in found else "PROMOTE"


class Verdict(Record):
    """`verdict.json`; a verdict that its own rules and problems contradict is refused.

    `critical_failures` are all critical cases that the candidate fails, also those that the
    baseline fails as well; verdicts of earlier versions have none.
    `metrics_compared` is how many metrics the regressions were looked for in, None if none was
    looked for. `spending` is shown beside the rules and decides nothing. `latency` is what the
    rules on latency were judged by, None where the policy has none. `leakage` is what training
    data holds of the suites, None where no training data is known. `ended` is where a gate ended
    that asks its cases in looks.
    """

    schema_version: Literal[1] = 1
    verdict: Decision
    candidate: str
    baseline: str
    alpha: float
    rules: tuple[RuleResult, ...]
    problems: tuple[str, ...] = ()
    warnings: tuple[EvidenceWarning, ...] = ()
    new_critical_failures: tuple[str, ...] = ()
    critical_failures: tuple[str, ...] = Field(default=(), exclude_if=lambda paths: not paths)
    regressions: tuple[Regression, ...] = ()
    metrics_compared: int | None = None
    accounting: Accounting
    baseline_accounting: Accounting
    spending: Spending | None = None
    baseline_spending: Spending | None = None
    latency: LatencySection | None = None
    leakage: Leakage | None = Field(default=None, exclude_if=lambda found: found is None)
    ended: EarlyEnd | None = Field(default=None, exclude_if=lambda found: found is None)
    hashes: VerdictHashes
    candidate_run: str
    baseline_run: str
    harness_version: str
    created: str = Field(min_length=1)

    @model_validator(mode="after")
    def _follows(self) -> Verdict:
        expected = decide(self.problems, (rule.outcome for rule in self.rules))
        if self.verdict != expected:
            raise ValueError(f"says {self.verdict}, its rules say {expected}")
        if self.new_critical_failures and self.verdict == "PROMOTE":
            raise ValueError("says PROMOTE with new critical failures")
        return self

    def noise_by_metric(self) -> dict[str, float]:
        """The noise of the rules' metrics, where it was measured."""
        return {
            rule.metric: rule.noise
            for rule in self.rules
            if rule.metric is not None and rule.noise is not None
        }

    def with_noise(self, by_metric: Mapping[str, float]) -> Verdict:
        """The verdict with the noise of each rule's metric, none where it was not measured."""
        rules = tuple(
            rule.model_copy(update={"noise": by_metric.get(rule.metric or "")})
            for rule in self.rules
        )
        return self.model_copy(update={"rules": rules})

    def with_warnings(self, found: Iterable[EvidenceWarning]) -> Verdict:
        """The verdict with these warnings behind its own."""
        return self.model_copy(update={"warnings": (*self.warnings, *found)})

    @property
    def holdout(self) -> RuleResult | None:
        """What the holdout suite said, None where it was not asked."""
        return next((rule for rule in self.rules if rule.require == HOLDOUT), None)

    def with_holdout(self, result: RuleResult | None) -> Verdict:
        """The verdict with what the holdout suite said, which decides too."""
        if result is None:
            return self
        rules = (*self.rules, result)
        decision = decide(self.problems, (rule.outcome for rule in rules))
        return self.model_copy(update={"rules": rules, "verdict": decision})

    @property
    def of_the_past(self) -> tuple[EvidenceWarning, ...]:
        """The warnings that no comparison tells, only what was there when the verdict was given."""
        return tuple(found for found in self.warnings if found.code in PAST)

    def contradictions(self, again: Verdict) -> tuple[str, ...]:
        """The fields in which the same verdict, given again, is another.

        Not what decides nothing and is told by the records alone, nor the words of reasons and
        problems: earlier versions told less, and in other words.
        """
        told = {"warnings", "critical_failures", "hashes"}
        ours, theirs = self._without_words(), again._without_words()
        return tuple(
            name
            for name in type(self).model_fields
            if name not in told and getattr(ours, name) != getattr(theirs, name)
        )

    def _without_words(self) -> Verdict:
        rules = tuple(rule.model_copy(update={"reason": ""}) for rule in self.rules)
        return self.model_copy(update={"rules": rules, "problems": ("",) * len(self.problems)})

    @property
    def still_critical(self) -> tuple[str, ...]:
        """The critical cases that the candidate fails, and not newly."""
        new = set(self.new_critical_failures)
        return tuple(path for path in self.critical_failures if path not in new)

    @property
    def changed_since(self) -> tuple[EvidenceWarning, ...]:
        """What of the policy or the suites was changed since earlier verdicts on the candidate."""
        return tuple(found for found in self.warnings if found.code in CHANGED)

    @property
    def exit_code(self) -> int:
        """The process exit code that says the same as the verdict."""
        return EXIT_CODES[self.verdict]

    @property
    def partial(self) -> bool:
        """Whether the gate was broken off, so that this is only about what was answered so far."""
        return any(problem.startswith(BROKEN_OFF) for problem in self.problems)

    @property
    def deciding(self) -> RuleResult | None:
        """The first rule whose outcome is the verdict's, or None for PROMOTE or broken evidence."""
        outcome = {"BLOCK": "fail", "INCONCLUSIVE": "inconclusive", "INVALID": "invalid"}
        wanted = outcome.get(self.verdict)
        return next((rule for rule in self.rules if rule.outcome == wanted), None)

    @property
    def reason(self) -> str:
        """Why the verdict is what it is, in one sentence."""
        if self.verdict == "INVALID" and self.problems:
            return self.problems[0]
        if self.deciding is not None:
            return self.deciding.reason
        return (
            f"all {len(self.rules)} rules pass" if len(self.rules) > 1 else "the only rule passes"
        )
