"""`harness gate`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import click

from harness.cli.console import Console, unbroken
from harness.cli.evidence import Bench, open_bench
from harness.cli.options import (
    config_option,
    generation_options,
    json_option,
    open_project,
    suite_option,
    whole,
)
from harness.errors import EvidenceError, InfrastructureError
from harness.records.run import Run
from harness.records.verdict import Verdict
from harness.report.json import render_json
from harness.report.write import remove_report, write_report
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
    targets = (*bench.live_baseline, candidate)
    try:
        with Console() as console:
            if stored:
                runs = rescore(project, targets, bench.suites, selection)
            else:
                runs = run(
                    project, targets, bench.suites, console, selection, use_cache=not no_cache
                )
        verdict = judge(bench, candidate, runs)
    except (EvidenceError, InfrastructureError) as error:
        # What an error leaves behind must not look like a verdict of today.
        remove_report(bench.folder(candidate))
        if isinstance(error, EvidenceError):
            click.echo(f"INVALID  {candidate} against {bench.policy.baseline}", err=as_json)
        raise
    with unbroken():
        if as_json:
            click.echo(render_json(verdict), nl=False)
        else:
            print_verdict(verdict, bench.folder(candidate))
    sys.exit(verdict.exit_code)


def judge(bench: Bench, candidate: str, runs: Mapping[str, Run]) -> Verdict:
    """The verdict on the candidate's run; its report is written."""
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
