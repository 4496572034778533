"""`harness mutate`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from harness.cli.console import Console, table
from harness.cli.options import config_option, json_option
from harness.cli.train import require_training
from harness.config import load_project
from harness.files import short_path
from harness.mutation import MutationRequest, run_mutants
from harness.records.mutation import MutantResult, MutationReport
from harness.report.write import write_mutants
from harness.visible_text import one_line

_BELOW = 1
_LONGEST = 160


@click.command("mutate")
@click.argument("candidate")
@click.option("--train", is_flag=True, help="Also train mutants, by the candidate's own recipe.")
@click.option(
    "--only",
    multiple=True,
    metavar="MUTATION",
    help="Only the mutants of this operator, such as `scale`; several times for several.",
)
@click.option(
    "--min-kill",
    type=click.FloatRange(0.0, 1.0),
    metavar="SHARE",
    help="Exit with 1 where a smaller share of the mutants is killed.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, help="Seed of what is drawn.")
@config_option
@json_option
def command(
    candidate: str,
    train: bool,
    only: tuple[str, ...],
    min_kill: float | None,
    seed: int,
    config: Path,
    as_json: bool,
) -> None:
    """Break CANDIDATE in many ways and say which of them the gate would have promoted.

    Each mutant is asked the same suites and judged by the same policy as CANDIDATE, which must be
    promoted itself. A mutant that is not promoted is killed. Rules on latency are left out.

    Everything is kept in `.harness/mutants/CANDIDATE`, a project of its own with a report on each
    mutant, and is used again. The page is `reports/CANDIDATE-mutants/mutants.html`.
    """
    project = load_project(config)
    if train:
        require_training()
    request = MutationRequest(candidate, seed, train, only)
    with Console() as console:
        report = run_mutants(project, request, console)
    folder = project.reports / f"{candidate}-mutants"
    page = write_mutants(report, folder)[0]
    if as_json:
        click.echo(report.model_dump_json(indent=2))
    else:
        for line in _lines(report):
            click.echo(line)
        click.echo(f"  page: {short_path(page)}")
    if min_kill is not None and (report.score is None or report.score < min_kill):
        click.echo(f"  fewer are killed than --min-kill {min_kill:g} asks", err=as_json)
        raise click.exceptions.Exit(_BELOW)


def _lines(report: MutationReport) -> Iterator[str]:
    """The table, an example for each survivor, and the line for a README."""
    rows = [("mutant", "outcome", "verdict", "by", "other answers"), *map(_row, report.results)]
    yield from table(rows, left=4)
    for rule in report.left_out:
        yield f"  left out: {one_line(rule)}"
    for one in report.of("survived"):
        yield f"  {one.name} survived: {one_line(one.about, _LONGEST)}"
        if one.unseen is None:
            continue
        unseen = one.unseen
        yield f"    not seen in {one_line(unseen.path)}: {one_line(unseen.question, _LONGEST)}"
        yield f"      candidate: {one_line(unseen.candidate, _LONGEST)}"
        yield f"      mutant:    {one_line(unseen.mutant, _LONGEST)}"
    suites = ", ".join(report.suites)
    yield f"Mutation score of {suites}: {report.summary}, `harness mutate {report.candidate}`"


def _row(one: MutantResult) -> tuple[str, ...]:
    changed = f"{one.changed} of {one.answers}" if one.answers else ""
    by = ", ".join(one.by) if one.outcome != "not made" else one.about
    return one_line(one.name), one.outcome, one.verdict or "", one_line(by, 100), changed
