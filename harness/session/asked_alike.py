"""Sides that the configuration has asked differently, told before anything is asked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from harness.config import Project
from harness.errors import HarnessError
from harness.gate.foretold import asked_differently
from harness.records.suite import Suite
from harness.session.context import GateContext, sealed_run


def check_asked_alike(context: GateContext, candidate: str) -> None:
    """Nothing, where the candidate is asked as the baseline is, or the policy compares across.

    Raises:
        EvidenceError: the verdict could only be INVALID.
    """
    project, policy = context.project, context.policy
    error = asked_differently(project, context.suites, policy, candidate, context.sealed)
    if error is not None:
        raise error


def asked_differently_lines(
    project: Project, suites: Sequence[Suite], targets: Iterable[str]
) -> Iterator[str]:
    """A line on each of the targets that is not asked as the policy's baseline is.

    A judge is no candidate. A sealed baseline that cannot be opened tells nothing here.
    """
    policy = project.config.gate
    if policy is None:
        return
    try:
        sealed = sealed_run(project, suites, policy.baseline)
    except HarnessError:
        return
    for name in targets:
        if name not in (policy.baseline, project.config.judge):
            error = asked_differently(project, suites, policy, name, sealed)
            if error is not None:
                yield f"{error}; until then `harness gate {name}` asks nothing"


def unopened_baseline_lines(project: Project, suites: Sequence[Suite]) -> Iterator[str]:
    """A line on the policy's sealed baseline where it cannot be opened, so that no gate begins."""
    policy = project.config.gate
    if policy is None:
        return
    try:
        sealed_run(project, suites, policy.baseline)
    except HarnessError as error:
        yield f"{project.place('gate.baseline')}: `{policy.baseline}`: {error.line}"
