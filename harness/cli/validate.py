"""`harness validate`."""

from __future__ import annotations

from pathlib import Path

import click

from harness.cli.lint import finding_lines, findings
from harness.cli.lock import hub_lines
from harness.cli.options import config_option
from harness.config import load_project
from harness.gate.judge import check_policy
from harness.latency.latency_rule import latency_rules, uncertifiable
from harness.sections.section_kinds import load_suites
from harness.session.asked_alike import asked_differently_lines
from harness.suites.independence import group_sizes
from harness.targets.candidates import describe_candidates


@click.command("validate")
@config_option
def command(config: Path) -> None:
    """Check the configuration, the suites and the policy, without a server.

    What cannot be used is an error; what weakens the evidence is a warning. Adapters that are here
    are described, whichever trainer they come from. Of a model that is named on a hub it says
    whether it is locked and fetched; no hub is asked.
    """
    project = load_project(config)
    suites = load_suites(project)
    if project.config.gate is not None:
        check_policy(project.config.gate, suites, project.place)
    for suite in suites:
        known = [section for section in suite.sections if section.cases]
        cases = sum(len(section.cases) for section in known)
        groups = sum(len(group_sizes(section.cases)) for section in known)
        click.echo(
            f"{suite.name} v{suite.version}: {cases} cases in {groups} groups, "
            f"{len(known)} sections"
        )
        for section in suite.sections:
            metrics = ", ".join(metric.name for metric in section.metrics)
            click.echo(f"  {section.name}: {section.describe()} -> {metrics}")
    for line in finding_lines(list(findings(project, suites))):
        click.echo(f"warning: {line}", err=True)
    for words in asked_differently_lines(project, suites, project.config.targets):
        click.echo(f"warning: {words}", err=True)
    for words in uncertifiable(latency_rules(project.config.gate), project.config.latency):
        click.echo(f"warning: {words}", err=True)
    for line in project.without_effect():
        click.echo(f"warning: {line}", err=True)
    for line, warning in (*describe_candidates(project), *hub_lines(project)):
        click.echo(f"{'warning: ' if warning else ''}{line}", err=warning)
    rules = len(project.config.gate.rules) if project.config.gate is not None else 0
    counts = (len(suites), "suite"), (len(project.config.targets), "target"), (rules, "rule")
    click.echo("ok: " + ", ".join(f"{n} {noun}{'' if n == 1 else 's'}" for n, noun in counts))
