"""Load the suites of a project, checked by the scorers that will judge them."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from harness.config import Project
from harness.errors import ConfigError, SuiteError, UsageError
from harness.records.policy import (
    AtLeast,
    AtMost,
    NoNewCriticalFailures,
    Policy,
    RatioAtMost,
    is_latency,
)
from harness.records.suite import Suite
from harness.sections.registry import kinds
from harness.suites.load import load_suite


def load_suites(project: Project, only: Sequence[str] = ()) -> tuple[Suite, ...]:
    """The project's suites in the order of its configuration, or only those named.

    Raises:
        SuiteError: a suite cannot be read, or two share a name.
        UsageError: `only` names a suite that the project does not have.
    """
    suites = tuple(
        load_suite(project.resolve(path, f"suites[{place}]"), kinds())
        for place, path in enumerate(project.config.suites)
    )
    names = [suite.name for suite in suites]
    doubled = {name for name in names if names.count(name) > 1}
    if doubled:
        where = f"{project.file}: suites"
        raise SuiteError(f"two suites are called `{doubled.pop()}`", where=where)
    return chosen(suites, only)


def chosen(suites: tuple[Suite, ...], only: Sequence[str]) -> tuple[Suite, ...]:
    """The suites named in `only`, or all of them where it is empty.

    Raises:
        UsageError: `only` names another.
    """
    names = [suite.name for suite in suites]
    for name in only:
        if name not in names:
            raise UsageError(f"no suite `{name}`", hint=f"there is {', '.join(names)}")
    return tuple(suite for suite in suites if not only or suite.name in only)


def check_policy(policy: Policy, suites: Sequence[Suite], file: str) -> None:
    """Nothing, where every rule names a metric that the suites yield; `file` holds the policy.

    Raises:
        ConfigError: a rule's metric does not exist, or can never have the rule's value.
    """
    known = [metric for suite in suites for metric in suite.metrics()]
    for place, rule in enumerate(policy.rules):
        if isinstance(rule, NoNewCriticalFailures):
            continue
        if is_latency(rule.metric):
            if not isinstance(rule, RatioAtMost | AtMost):
                raise ConfigError(
                    f"{rule.metric} is a time, and no rule `{rule.require}` holds for one",
                    where=f"{file}: gate.rules[{place}].require",
                    hint="write ratio_at_most (of the baseline's) or at_most (seconds)",
                )
            if rule.value <= 0.0:
                raise ConfigError(
                    f"{rule.value:g} is no time",
                    where=f"{file}: gate.rules[{place}].value",
                    hint="write seconds, more than 0",
                )
            continue
        if isinstance(rule, AtLeast | AtMost) and not 0.0 <= rule.value <= 1.0:
            raise ConfigError(
                f"{rule.value:g} can be no value of {rule.metric}",
                where=f"{file}: gate.rules[{place}].value",
                hint="write a share between 0 and 1",
            )
        if rule.metric not in known:
            near = get_close_matches(rule.metric, known, n=1)
            raise ConfigError(
                f"no metric `{rule.metric}`",
                where=f"{file}: gate.rules[{place}].metric",
                hint=f"did you mean `{near[0]}`?" if near else f"there is {', '.join(known)}",
            )
