"""The holdout suite: asked only where everything else says PROMOTE, and shown to nobody.

Who tunes against a suite overfits it, and the more often it is looked at, the more. A holdout that
tells one outcome, and that seldom, wears out far more slowly: Dwork et al., "The reusable holdout",
Science 349 (2015).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from harness.config import Project
from harness.errors import ConfigError
from harness.records.comparison import ComparisonRecord
from harness.records.rule import Policy
from harness.records.suite import Message, Suite, counted
from harness.records.verdict import HOLDOUT, OUTCOMES, RuleResult, Verdict
from harness.sections.section_kinds import load_suite_at


def load_holdout(project: Project, policy: Policy, suites: Sequence[Suite]) -> Suite | None:
    """The policy's holdout suite, None where it has none.

    It is a suite of new cases under the name of the suite that it stands for, so that the policy's
    rules hold for it as they are.

    Raises:
        ConfigError: it stands for no suite, no rule is on a metric of it, or cases are in both.
        SuiteError: it cannot be read.
    """
    if policy.holdout is None:
        return None
    place = project.place("gate.holdout")
    found = load_suite_at(project, policy.holdout, "gate.holdout")
    suite = next((one for one in suites if one.name == found.name), None)
    if suite is None:
        raise ConfigError(
            f"the holdout is called `{found.name}`, as no suite is",
            where=place,
            hint="give it the `name` of the suite that it stands for: "
            + ", ".join(one.name for one in suites),
        )
    known = _conversations(suite)
    both = (_conversations(found) & known).total()
    if both:
        raise ConfigError(
            f"{counted(both, 'case')} of the holdout ask what cases of `{suite.name}` ask",
            where=place,
            hint="a holdout has cases that nobody has tuned to; take these out of one of the two",
        )
    metrics = dict(found.definitions())
    if not any(rule.metrics_among(metrics) for rule in holdout_policy(policy, found).rules):
        raise ConfigError(
            "no rule of the policy is on a metric of the holdout",
            where=place,
            hint="give it the sections that rules are on",
        )
    return found


def holdout_policy(policy: Policy, holdout: Suite) -> Policy:
    """The policy with those of its rules that the holdout's answers can decide."""
    known = dict(holdout.definitions())
    critical = any(case.critical for one in holdout.sections for case in one.cases)
    rules = tuple(
        rule
        for rule in policy.rules
        if rule.metrics_among(known) or (critical and rule.critical_changes)
        if rule.misfit(known) is None and rule.misfit_in((holdout,)) is None
    )
    # It is asked whole: few candidates come so far, and where it ended would tell of its cases.
    return policy.model_copy(update={"rules": rules, "holdout": None, "sequential": False})


def holdout_result(verdict: Verdict, comparison: ComparisonRecord) -> RuleResult:
    """What is told of the verdict on the holdout: its outcome and the rules that decided it.

    No case of it and no number, since these could be tuned to.
    """
    outcome = OUTCOMES[verdict.verdict]
    named = dict.fromkeys(
        f"{rule.metric or ''} {rule.require}".strip()
        for rule in verdict.rules
        if rule.outcome == outcome
    )
    cases = len(comparison.cases)
    on = f"on the holdout ({counted(cases, 'case')})"
    reason = {
        "pass": f"{on} every rule passes as well",
        "fail": f"{on} not every rule passes: {', '.join(named)} failed",
        "inconclusive": f"{on} it cannot be told whether {', '.join(named)} passes",
        "invalid": f"{on} the evidence cannot be trusted{_why(verdict, comparison)}",
    }[outcome]
    return RuleResult(require=HOLDOUT, outcome=outcome, n=cases, reason=reason)


def _why(verdict: Verdict, comparison: ComparisonRecord) -> str:
    """The reason behind a colon, nothing where it names a case."""
    names = any(case.path in verdict.reason for case in comparison.cases)
    return "" if names or verdict.verdict != "INVALID" else f": {verdict.reason}"


def _conversations(suite: Suite) -> Counter[tuple[Message, ...]]:
    return Counter(case.messages for section in suite.sections for case in section.cases)
