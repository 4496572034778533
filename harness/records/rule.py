"""A policy and its rules: what every kind of rule can do, and where kinds are found.

A kind of rule is a subclass of `Rule` in a file of its own, declared under the entry-point group
`harness.rules` or given to `register_rule`. Everything that is done with a rule, or said of its
result, goes through the methods here, so that nothing else knows which kinds there are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import BeforeValidator, Field, GetJsonSchemaHandler, SerializeAsAny
from pydantic_core import CoreSchema

from harness.plugins import PluginRegistry
from harness.records.base import Record
from harness.records.comparison import Change, ComparisonRecord, Weigh
from harness.records.metric import SHARE, Metric
from harness.records.noise import RuleNoise
from harness.records.suite import Suite
from harness.records.verdict import Outcome, RulePower, RuleResult
from harness.validation import KeyProblem, nearest, validate_as

ENTRY_POINT_GROUP = "harness.rules"
# What an estimate is: candidate minus baseline, candidate over baseline, or the candidate's value.
Scale = Literal["difference", "ratio", "value"]
# The share of groups that change by chance, where nothing is known.
USUAL_DISCORDANCE = 0.1
Format = Callable[[float | None], str]


@dataclass(frozen=True, slots=True)
class Misfit:
    """Why the suites of a project leave a rule without sense: which key, what, and a hint."""

    key: str
    problem: str
    hint: str


@dataclass(frozen=True, slots=True)
class Planned:
    """What is known of a metric before anything is asked: its meaning and its cases by group.

    Taken for granted is that the outcome changes in the share `discordance` of the groups. `tagged`
    has the cases by group of each tag. People label as many groups as `labelled` says, or all.
    """

    metric: Metric
    sizes: Counter[str]
    discordance: float
    tagged: Mapping[str, Counter[str]] = field(default_factory=dict)
    labelled: int | None = None


class Rule(Record):
    """One rule as it is written in the policy; `require` names its kind.

    A kind overrides what differs for it: at least `judge`. Its name is the value of `require`; a
    kind for some metrics only is called `<namespace>.<require>` and says in `takes` which ones.
    """

    name: ClassVar[str] = ""
    namespace: ClassVar[str] = ""
    scale: ClassVar[Scale] = "value"
    # What it says with a chance of at most alpha, or by a flipped case, where nothing changed.
    false_alarm: ClassVar[Outcome | None] = None
    # What decides it: the answers to the suites, or a measurement of latency.
    decided_by: ClassVar[Literal["answers", "latency"]] = "answers"
    # The side of the limit on which an estimate passes, None where the metric's direction says it.
    good_side: ClassVar[Literal["above", "below"] | None] = None
    # The changes of a critical case that the rule fails by, none for a rule on all of its cases.
    critical_changes: ClassVar[tuple[Change, ...]] = ()
    # The numbers of a result that are beyond every bound where a result with evidence has none.
    infinite_where_absent: ClassVar[tuple[str, ...]] = ()

    require: str

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        known = get_args(cls.model_fields["require"].annotation)
        cls.name = ".".join(filter(None, (cls.namespace, *known)))

    @classmethod
    def takes(cls, metric: str | None) -> bool:
        """Whether this kind is for rules on that metric."""
        return True

    @property
    def metric_name(self) -> str | None:
        """The full name of the metric that the rule is on, None where it is on none."""
        return getattr(self, "metric", None)

    @property
    def value_cap(self) -> float | None:
        """At which size values of the metric are cut, None where they are not."""
        return None

    @property
    def title(self) -> str:
        """The rule in words for a list of rules."""
        return f"`{self.require}`"

    @property
    def bounded_by_alpha(self) -> bool:
        """Whether the chance of a false pass is at most alpha."""
        return False

    @property
    def audited(self) -> bool:
        """Whether people's labels decide it together with the scores."""
        return False

    def misfit(self, metrics: Mapping[str, Metric]) -> Misfit | None:
        """What is wrong with the rule for suites with these metrics, by full name."""
        return None

    def misfit_in(self, suites: Sequence[Suite]) -> Misfit | None:
        """What is wrong with the rule for the cases of these suites."""
        return None

    def metrics_among(self, names: Iterable[str]) -> tuple[str, ...]:
        """Which of these metrics the rule is on."""
        return tuple(name for name in names if name == self.metric_name)

    def vacuous(self, planned: Planned | None, alpha: float) -> str:
        """Why the rule passes whatever a candidate does, before any request; else nothing."""
        return ""

    def why_worst_passes(self, comparison: ComparisonRecord) -> str:
        """Why these answers let even the worst candidate pass, where there is more to say of it."""
        return ""

    def judge(self, comparison: ComparisonRecord, alpha: float) -> RuleResult:
        """The rule's result, each definite outcome at level alpha."""
        raise NotImplementedError(f"the kind of rule `{self.require}` cannot judge")

    def power(self, comparison: ComparisonRecord, alpha: float) -> RulePower:
        """The power of the rule with the groups and the spread of the comparison."""
        return self.no_power("this kind of rule says nothing of its power")

    def planned_power(self, planned: Planned | None, alpha: float) -> RulePower:
        """The power of the rule before any request is sent; `planned` is None without cases."""
        return self.no_power("this kind of rule says nothing of its power")

    def power_among(self, planned: Mapping[str, Planned], alpha: float) -> RulePower:
        """The same, of the metrics by their full names."""
        return self.planned_power(planned.get(self.metric_name or ""), alpha)

    def for_successor(self, result: RuleResult) -> dict[str, Any] | None:
        """The keys that hold a successor to what the candidate of the result has reached.

        None where the rule asks no more of a successor than of the candidate.
        """
        return None

    def no_power(self, reason: str) -> RulePower:
        """A power without a distance, and why there is none."""
        return RulePower(metric=self.metric_name, require=self.require, reason=reason)

    def invalid(self, reason: str, limit: float | None = None) -> RuleResult:
        """The result where there is no evidence that could decide the rule."""
        return RuleResult(
            metric=self.metric_name,
            require=self.require,
            outcome="invalid",
            limit=limit,
            reason=reason,
        )

    def unjudged(self) -> RuleResult:
        """The result where the evidence as a whole cannot be trusted."""
        name = self.metric_name or self.require
        return self.invalid(f"{name} is not judged: the evidence cannot be trusted")

    # What a kind says of a result, also of one that was stored long ago.

    @classmethod
    def suite_of(cls, metric: str | None) -> str | None:
        """The suite that a rule on the metric concerns, None where it concerns all of them."""
        return metric.partition(".")[0] if metric else None

    @classmethod
    def definition(cls, result: RuleResult) -> Metric:
        """The unit, direction and bounds of the metric."""
        return result.definition or SHARE

    @classmethod
    def good_above(cls, result: RuleResult) -> bool:
        """Whether an estimate above the limit is the good one."""
        if cls.good_side is not None:
            return cls.good_side == "above"
        return not cls.definition(result).lower_is_better

    @classmethod
    def requirement(cls, result: RuleResult, amount: str) -> str:
        """What is required, in words; `amount` is the limit's size as text, empty without one."""
        return result.require.replace("_", " ")

    @classmethod
    def shortfall(cls, result: RuleResult, form: Format) -> str:
        """One sentence where the rule asks for more than its groups can tell; else nothing."""
        return ""

    @classmethod
    def in_value(cls, bound: float | None, baseline: float | None) -> float | None:
        """Where an estimate or a bound of a result lies among the values of the metric itself."""
        if bound is None or cls.scale == "value":
            return bound
        if baseline is None:
            return None
        return baseline * bound if cls.scale == "ratio" else baseline + bound


@cache
def rule_kinds() -> PluginRegistry[type[Rule]]:
    """Every kind of rule that an installed distribution declares or a call registers.

    Raises:
        UsageError: two distributions declare one name.
    """
    return PluginRegistry("kind of rule", ENTRY_POINT_GROUP, make=_kind)


def register_rule(kind: type[Rule]) -> None:
    """Make a kind of rule known to this process.

    Raises:
        ValueError: its name is taken.
    """
    rule_kinds().register(kind)


def _kind(loaded: Any) -> type[Rule]:
    if not (isinstance(loaded, type) and issubclass(loaded, Rule)):
        raise TypeError("is no subclass of harness.records.rule.Rule")
    return loaded


def find_kind(require: str, metric: str | None) -> type[Rule]:
    """The kind that is named so and takes the metric.

    Raises:
        ValueError: there is none; the message names the nearest.
    """
    registry = rule_kinds()
    fitting = [name for name in registry.names() if name.rpartition(".")[2] == require]
    for name in sorted(fitting, key=lambda name: "." not in name):
        kind = registry.get(name)
        if kind.takes(metric):
            return kind
    known = {name.rpartition(".")[2] for name in registry.names()}
    raise ValueError(f"no kind of rule `{require}`{nearest(require, known)}")


def special_kinds(metric: str) -> list[str]:
    """What rules for such metrics alone require, where this is one of them."""
    registry = rule_kinds()
    special = [name for name in registry.names() if "." in name]
    return [name.rpartition(".")[2] for name in special if registry.get(name).takes(metric)]


def kind_of(result: RuleResult | RuleNoise) -> type[Rule]:
    """The kind of rule that a result is of; `Rule` itself where the kind is not installed here."""
    try:
        return find_kind(result.require, result.metric)
    except ValueError:
        return Rule


def _parse(given: Any) -> Any:
    """A rule of the kind that its `require` names, problems located at their keys."""
    if not isinstance(given, Mapping):
        return given
    require, metric = given.get("require"), given.get("metric")
    if not isinstance(require, str):
        # Without the other keys, which belong to a kind that is not known.
        return validate_as(Rule, {key: given[key] for key in given if key == "require"})
    try:
        kind = find_kind(require, metric if isinstance(metric, str) else None)
    except ValueError as error:
        raise KeyProblem(str(error), "require") from None
    return validate_as(kind, given)


class _OfAnyKind:
    """The JSON schema of a rule: that of any kind there is."""

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        registry = rule_kinds()
        kinds = (registry.get(name) for name in registry.names())
        return {"anyOf": [handler(kind.__pydantic_core_schema__) for kind in kinds]}


AnyRule = Annotated[SerializeAsAny[Rule], BeforeValidator(_parse), _OfAnyKind]


# The names of `harness.records.target.SAMPLING`, and what else is asked with.
AskedBy = Literal[
    "system_prompt", "few_shot", "retrieval", "request", "temperature", "top_p", "max_tokens",
    "seed", "thinking_tags",
    "top_k", "min_p", "presence_penalty", "frequency_penalty", "repetition_penalty", "min_tokens",
    "stop", "stop_token_ids", "bad_words", "logit_bias", "thinking_token_budget",
    "reasoning_effort", "response_format", "structured_outputs", "chat_template_kwargs",
    "extra_body",
]  # fmt: skip


class Policy(Record):
    """What a candidate must show before it may replace the baseline."""

    baseline: str
    alpha: float = Field(default=0.05, gt=0.0, lt=0.5)
    # Answers that a scorer has read and cannot tell are no hole in the evidence: both bounds pay
    # for them. More than this share of a section is.
    min_scored: float = Field(default=0.99, gt=0.0, le=1.0)
    max_undetermined: float = Field(
        default=0.05, ge=0.0, le=1.0, exclude_if=lambda share: share == 0.05
    )
    # How often a candidate may be asked afresh and judged before it is promoted.
    max_looks: int = Field(default=3, ge=1, exclude_if=lambda looks: looks == 3)
    # What counts once in a metric: each case, or each group whatever the number of its cases.
    weigh: Weigh = Field(default="cases", exclude_if=lambda weigh: weigh == "cases")
    # Whether the cases are asked in looks, and the gate ends at the first one that decides it.
    sequential: bool = Field(default=False, exclude_if=lambda chosen: not chosen)
    rules: tuple[AnyRule, ...] = Field(min_length=1)
    # How many false promotions a year may be expected; only what is left of it is said.
    budget: float | None = Field(default=None, gt=0.0, exclude_if=lambda given: given is None)
    # The folder of a suite that is asked only where everything else says PROMOTE.
    holdout: str | None = Field(default=None, exclude_if=lambda path: path is None)
    # In what the two sides may be asked differently, because that is what is compared.
    compare_across: tuple[AskedBy, ...] = Field(default=(), exclude_if=lambda keys: not keys)
    # Whether a rule that passes only with cases that stand in training data is INVALID, whether the
    # candidate's training data must be known on top of that, or whether leaks are only told.
    leaks: Literal["strict", "known", "warn"] = Field(
        default="strict", exclude_if=lambda chosen: chosen == "strict"
    )
    # A candidate that does not stop fails unless this is false; a rule on `finishes` stands for it.
    finishes: Literal["no_worse_than_baseline", False] = Field(
        default="no_worse_than_baseline", exclude_if=bool
    )
