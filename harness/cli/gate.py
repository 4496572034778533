"""`harness gate`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from harness.cli.console import Console, shown, unbroken
from harness.cli.handout import CiJob, handout_options
from harness.cli.noise import measure
from harness.cli.options import (
    chosen_cluster,
    config_option,
    engine_options,
    generation_options,
    json_option,
    open_project,
    suite_option,
    whole,
)
from harness.errors import EvidenceError
from harness.records.verdict import Verdict
from harness.report import numbers
from harness.report.json import render_json
from harness.report.rules import shortfall
from harness.report.text import one_line
from harness.session.gate import GateRequest, open_gate


@click.command("gate")
@click.argument("candidate", required=False)
@click.option(
    "--aa", is_flag=True, help="Measure the gate's own noise: the baseline against itself."
)
@click.option(
    "--baseline", metavar="NAME", help="Instead of the policy's: a target or sealed:NAME."
)
@click.option("--stored", is_flag=True, help="Judge stored answers; ask no server.")
@config_option
@suite_option
@generation_options
@engine_options
@handout_options
@json_option
def command(
    candidate: str | None,
    aa: bool,
    baseline: str | None,
    stored: bool,
    config: Path,
    suite_names: tuple[str, ...],
    repeats: int | None,
    concurrency: int | None,
    no_cache: bool,
    engine: str,
    ray_address: str | None,
    workers: int | None,
    as_json: bool,
    **wishes: Any,
) -> None:
    """Judge CANDIDATE against the baseline by the policy in the configuration.

    Asks what is missing, has pytest run the Python tests of suites that lack scores, compares,
    writes the report, prints the verdict. The exit code says the same: 0 PROMOTE, 1 BLOCK,
    3 INVALID, 4 INCONCLUSIVE. It is 2 where something is to be corrected first, 3 also where a
    server or the disk fails, and 130 after Ctrl-C, with a partial report.

    With --aa there is no CANDIDATE: the baseline is asked everything afresh, twice or as often as
    --repeats says, its askings are judged against each other, and later gates show the noise beside
    their numbers. A measurement that was broken off goes on, with --no-cache it starts again.

    With --output-dir a CI job finds all that it shows, posts and keeps in one folder, also where
    the gate comes to no verdict.
    """
    selection = whole(suite_names, repeats, concurrency)
    _check_local(aa or stored, engine, ray_address, workers)
    if aa:
        _check_alone(candidate, stored, wishes)
        measure(open_project(config), baseline, selection, anew=no_cache, as_json=as_json)
        return
    if candidate is None:
        raise click.UsageError("Missing argument 'CANDIDATE'.")
    request = GateRequest(candidate, baseline, selection, stored, no_cache)
    with CiJob(candidate, baseline, config, wishes, quiet=as_json) as job:
        project = open_project(config)
        job.baseline = baseline or project.policy().baseline
        try:
            console = Console()
            with (
                open_gate(project, request, console) as session,
                console,
                chosen_cluster(engine, ray_address, workers, console.say) as cluster,
            ):
                outcome = session.run(candidate, cluster)
        except EvidenceError:
            click.echo(f"INVALID  {candidate} against {job.baseline}", err=as_json)
            raise
        job.give(session.context, outcome)
        verdict = outcome.verdict
        _tell(verdict, session.context.folder(candidate), as_json=as_json)
    sys.exit(verdict.exit_code)


def _tell(verdict: Verdict, folder: Path, *, as_json: bool) -> None:
    with unbroken():
        if as_json:
            click.echo(render_json(verdict), nl=False)
        else:
            print_verdict(verdict, folder)


def _check_local(here: bool, engine: str, ray_address: str | None, workers: int | None) -> None:
    if not here:
        return
    if engine != "local" or ray_address is not None or workers is not None:
        raise click.UsageError("--engine ray goes neither with --aa nor with --stored")


def _check_alone(candidate: str | None, stored: bool, wishes: dict[str, Any]) -> None:
    if candidate is not None:
        raise click.UsageError("--aa takes no CANDIDATE: the baseline is held against itself")
    if stored:
        raise click.UsageError("--aa asks everything afresh, so --stored cannot go with it")
    if any(wishes.values()):
        raise click.UsageError("--aa gives no verdict: there is nothing to hand out to CI")


def print_verdict(verdict: Verdict, folder: Path) -> None:
    """Print the verdict with its reason, each rule on a line, and where the report is."""
    click.echo(f"{verdict.verdict}  {verdict.candidate} against {verdict.baseline}")
    click.echo(f"  {verdict.reason}")
    for problem in verdict.problems[1:]:  # the first is the reason
        click.echo(f"  evidence: {problem}")
    for rule in () if verdict.problems else verdict.rules:
        click.echo(f"  {rule.outcome:<13} {rule.reason}")
    for rule in verdict.rules:
        if told := shortfall(rule):
            # A rule that is decided all the same need worry nobody.
            kind = "warning" if rule.outcome == "inconclusive" else "note"
            click.echo(f"  {kind}: {rule.metric}: {told}")
    for found in verdict.regressions:
        click.echo(
            f"  regression: {one_line(found.metric)} {found.estimate:+.3f} "
            f"[{found.ci_low:+.3f}, {found.ci_high:+.3f}], p {numbers.p_value(found.p_value)} "
            f"(Holm, {verdict.metrics_compared} metrics)"
        )
    accounting = verdict.accounting
    click.echo(
        f"  {accounting.planned} planned, {accounting.scored} scored, "
        f"{accounting.unscored} unscored, {accounting.failed} failed"
    )
    click.echo(f"  report: {shown(folder / 'report.html')}")
