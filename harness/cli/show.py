"""`harness show`."""

from __future__ import annotations

from pathlib import Path

import click

from harness.cli.options import config_option
from harness.config import Project, load_project
from harness.errors import UsageError
from harness.files import short_path
from harness.report.write import write_run
from harness.sections.section_kinds import load_suites
from harness.storage import RunFolder, newest_finished
from harness.targets.candidates import find_training


@click.command("show")
@click.argument("run")
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Where to write it; reports/runs/<run>/ without it.",
)
@config_option
def command(run: str, output: Path | None, config: Path) -> None:
    """Write a page of one RUN: its metrics and labels, and every answer, failing ones first.

    RUN is the name of a folder in .harness/runs, or a target: then its newest finished run. Nothing
    is asked, compared or judged.
    """
    project = load_project(config)
    folder = _folder(project, run)
    target = output or project.reports / "runs" / folder.path.name
    found = folder.load()
    training = find_training(project, found.header)
    for path in write_run(found, load_suites(project), target, training):
        click.echo(short_path(path.absolute()))


def _folder(project: Project, run: str) -> RunFolder:
    """The run of that name, or the newest finished one of a target.

    Raises:
        UsageError: there is none, or it is not finished.
    """
    names = {path.name for path in project.runs.glob("*") if path.is_dir()}
    if run in names:
        folder = RunFolder(project.runs / run)
        header = folder.header()
        if header is None or header.finished is None:
            raise UsageError(
                f"`{run}` is not finished", where=str(project.runs), hint="`harness run` goes on"
            )
        return folder
    if run not in project.config.targets:
        raise UsageError(
            f"no run and no target `{run}`",
            where=str(project.runs),
            hint="name a folder there, or a target",
        )
    found = newest_finished(project.runs, run)
    if found is None:
        raise UsageError(f"`{run}` has no finished run", hint=f"harness run {run}")
    return found
