"""`harness gate`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from harness.cli.console import Console
from harness.cli.evidence import Bench, open_bench
from harness.cli.options import (
    config_option,
    generation_options,
    json_option,
    open_project,
    suite_option,
    whole,
)
from harness.records.verdict import Verdict
from harness.report.write import write_report
from harness.stages.plan import Selection
from harness.stages.rescore import rescore
from harness.stages.run import run


@click.command("gate")
@click.argument("candidate")
@click.option(
    "--baseline", metavar="NAME", help="Instead of the policy's: a target or sealed:NAME."
)
@click.option("--stored", is_flag=True, help="Judge stored answers; ask no server.")
@config_option
@suite_option
@generation_options
@json_option
def command(
    candidate: str,
    baseline: str | None,
    stored: bool,
    config: Path,
    suite_names: tuple[str, ...],
    repeats: int | None,
    concurrency: int | None,
    no_cache: bool,
    as_json: bool,
) -> None:
    """Judge CANDIDATE against the baseline by the policy in the configuration.

    Runs what is missing, compares, writes the report, prints the verdict. The exit code says the
    same: 0 PROMOTE, 1 BLOCK, 3 INVALID, 4 INCONCLUSIVE.
    """
    project = open_project(config)
    bench = open_bench(project, [candidate], baseline, suite_names)
    selection = whole(suite_names, repeats, concurrency)
    with Console() as console:
        verdict = judge(bench, candidate, selection, console, stored=stored, no_cache=no_cache)
    if as_json:
        click.echo(verdict.model_dump_json(indent=2))
    else:
        print_verdict(verdict, bench.folder(candidate))
    sys.exit(verdict.exit_code)


def judge(
    bench: Bench,
    candidate: str,
    selection: Selection,
    console: Console,
    *,
    stored: bool,
    no_cache: bool,
) -> Verdict:
    """The verdict, after running what is missing; its report is written."""
    targets = (*bench.live_baseline, candidate)
    if stored:
        runs = rescore(bench.project, targets, bench.suites, selection)
    else:
        runs = run(bench.project, targets, bench.suites, console, selection, use_cache=not no_cache)
    comparison = bench.compare(candidate, runs)
    verdict = bench.judge(comparison)
    write_report(verdict, comparison, bench.folder(candidate))
    return verdict


def print_verdict(verdict: Verdict, folder: Path) -> None:
    """Print the verdict with its reason, each rule on a line, and where the report is."""
    click.echo(f"{verdict.verdict}  {verdict.candidate} against {verdict.baseline}")
    click.echo(f"  {verdict.reason}")
    for problem in verdict.problems:
        click.echo(f"  evidence: {problem}")
    for rule in verdict.rules:
        click.echo(f"  {rule.outcome:<13} {rule.reason}")
    accounting = verdict.accounting
    click.echo(
        f"  {accounting.planned} planned, {accounting.scored} scored, "
        f"{accounting.unscored} unscored, {accounting.failed} failed"
    )
    click.echo(f"  report: {shown(folder / 'report.html')}")


def shown(path: Path) -> Path:
    """The path as seen from the current folder, where it lies below it."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path
