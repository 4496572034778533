"""`harness validate`."""

from __future__ import annotations

from pathlib import Path

import click

from harness.cli.findings import finding_lines
from harness.cli.lint import findings
from harness.cli.lock import hub_lines
from harness.cli.options import config_option
from harness.config import load_project
from harness.files import short_path
from harness.gate.judge import check_policy
from harness.records.suite import Suite, counted
from harness.sections.python import PythonSection
from harness.sections.section_kinds import load_suites
from harness.sections.tests_in_source import SourceTests, read_tests
from harness.session.asked_alike import asked_differently_lines, unopened_baseline_lines
from harness.session.context_room import room_lines
from harness.session.holdout import load_holdout
from harness.session.latency_checks import latency_lines
from harness.session.ledger import check_ledger
from harness.session.target_figures import source_lines
from harness.suites.independence import group_sizes
from harness.targets.candidates import describe_candidates
from harness.targets.duplicates import duplicate_lines
from harness.targets.missing import missing_lines
from harness.targets.server_args import option_lines


@click.command("validate")
@config_option
def command(config: Path) -> None:
    """Check the configuration, the suites and the policy, without a server.

    What cannot be used is an error; what weakens the evidence is a warning. Adapters that are here
    are described, whichever trainer they come from; of those that are not, it says which recipe
    trains them. Recipes are read with their data. Python tests are counted, and nothing of their
    files is run. Of a model that is named on a hub it says whether it is locked and fetched; no hub
    is asked.
    """
    project = load_project(config)
    suites = load_suites(project)
    if project.config.gate is not None:
        check_policy(project.config.gate, suites, project.place)
        load_holdout(project, project.config.gate, suites)
    check_ledger(project, suites, project.config.targets)
    for suite in suites:
        _show_suite(suite)
    for line in finding_lines(list(findings(project, suites))):
        click.echo(f"warning: {line}", err=True)
    for words in unopened_baseline_lines(project, suites):
        click.echo(f"warning: {words}", err=True)
    for words in asked_differently_lines(project, suites, project.config.targets):
        click.echo(f"warning: {words}", err=True)
    for line, warning in latency_lines(project, suites):
        click.echo(f"{'warning: ' if warning else ''}{line}", err=warning)
    for line in project.without_effect():
        click.echo(f"warning: {line}", err=True)
    lines = (
        *option_lines(project),
        *room_lines(project, suites),
        *source_lines(project, suites),
        *duplicate_lines(project),
        *missing_lines(project),
        *describe_candidates(project),
        *hub_lines(project),
    )
    for line, warning in lines:
        click.echo(f"{'warning: ' if warning else ''}{line}", err=warning)
    rules = len(project.config.gate.rules) if project.config.gate is not None else 0
    counts = (len(suites), "suite"), (len(project.config.targets), "target"), (rules, "rule")
    click.echo("ok: " + ", ".join(counted(number, noun) for number, noun in counts))


def _show_suite(suite: Suite) -> None:
    """Say what is in a suite: its cases, and its Python tests by the text of their files."""
    known = [section for section in suite.sections if section.cases]
    groups = sum(len(group_sizes(section.cases)) for section in known)
    files = {
        section.name: Path(suite.folder) / section.file
        for section in suite.sections
        if isinstance(section, PythonSection)
    }
    tests = {name: read_tests(file) for name, file in files.items()}
    cases = counted(sum(len(section.cases) for section in known), "case")
    if tests:
        cases += f" and {counted(sum(one.tests for one in tests.values()), 'Python test')}"
        groups += sum(one.groups for one in tests.values())
    parts = f"{cases} in {counted(groups, 'group')}, {counted(len(suite.sections), 'section')}"
    click.echo(f"{suite.name} v{suite.version}: {parts}")
    for section in suite.sections:
        what = section.describe()
        found = tests.get(section.name)
        if found is not None and found.tests:
            what = f"{what}: {_tests_in_words(found)}"
        click.echo(f"  {section.name}: {what} -> {', '.join(one.name for one in section.metrics)}")
    for name, one in tests.items():
        if one.problem:
            line = "" if one.line is None else f":{one.line}"
            place = f"{short_path(files[name])}{line}"
            click.echo(f"warning: {place}: {one.problem}", err=True)


def _tests_in_words(found: SourceTests) -> str:
    words = f"{counted(found.tests, 'test')} in {counted(found.groups, 'group')}"
    words += f", {found.critical} critical" if found.critical else ""
    return words if found.exact else f"{words}, or more"
