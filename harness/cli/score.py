"""`harness score`."""

from __future__ import annotations

from pathlib import Path

import click

from harness.cli.options import config_option, open_project, suite_option, whole
from harness.cli.run import check_scored
from harness.run.rescore import rescore
from harness.sections.load_suites import load_suites


@click.command("score")
@click.argument("targets", nargs=-1, required=True, metavar="TARGET...")
@config_option
@suite_option
def command(targets: tuple[str, ...], config: Path, suite_names: tuple[str, ...]) -> None:
    """Score each TARGET's stored answers again, under the suites as they are now.

    No server is asked; a case whose prompt changed has no stored answer and is an error.
    """
    project = open_project(config)
    suites = load_suites(project, suite_names)
    runs = rescore(project, targets, suites, whole(suite_names))
    for name, done in runs.items():
        accounting = done.summary.accounting
        click.echo(f"{name}: {accounting.scored} of {accounting.planned} scored")
        for metric, value in done.summary.metrics.items():
            click.echo(f"  {metric:<40} {value:.3f}")
    check_scored(runs)
