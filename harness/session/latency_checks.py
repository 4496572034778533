"""What can be said of measuring targets' latency against the baseline without any server."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.config import Project
from harness.errors import HarnessError, UsageError
from harness.latency.deployments import check_servers
from harness.latency.latency_rule import latency_rules, uncertifiable
from harness.latency.rounds import check_length
from harness.records.suite import Suite
from harness.session.measurements import live_target


def latency_lines(project: Project, suites: Sequence[Suite]) -> Iterator[tuple[str, bool]]:
    """Lines on the policy's rules on latency, each with whether it is a warning.

    A rule that can never pass, a target that cannot be measured against the baseline, and one that
    is on another server than it; nothing where no rule is on latency.
    """
    policy, settings = project.config.gate, project.config.latency
    rules = latency_rules(policy)
    if policy is None or not rules:
        return
    if words := uncertifiable(rules, settings):
        yield words, True
    try:
        live = live_target(project, policy.baseline, suites)
    except HarnessError:  # the gate says what is wrong with it
        return
    for name in project.config.targets:
        if name == live:
            continue
        try:
            servers = check_servers(project, name, live, settings)
            check_length(project, (name, live), settings)
        except UsageError as error:
            yield f"the latency of `{name}` cannot be measured: {error.line}", True
            continue
        if len(servers) > 1:
            where = " and ".join(f"`{server}`" for server in servers)
            yield f"latency of `{name}` against `{live}`: deployments, on servers {where}", False
