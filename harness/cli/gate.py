"""`harness gate`."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

import click

from harness.cli.console import Console, shown, unbroken
from harness.cli.evidence import Bench, open_bench, report_folder
from harness.cli.noise import measure, with_noise
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
from harness.cli.timing import contest, measured, stored_section, with_section
from harness.config import Project
from harness.errors import EvidenceError, InfrastructureError
from harness.records.comparison import Comparison
from harness.records.verdict import Verdict
from harness.report import numbers
from harness.report.json import render_json
from harness.report.rules import shortfall
from harness.report.text import one_line
from harness.report.write import remove_report, write_report
from harness.stages.latency.judge import latency_rules
from harness.stages.latency.measure import Contest
from harness.stages.rescore import rescore
from harness.stages.run import run


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
) -> None:
    """Judge CANDIDATE against the baseline by the policy in the configuration.

    Runs what is missing, compares, writes the report, prints the verdict. The exit code says the
    same: 0 PROMOTE, 1 BLOCK, 3 INVALID, 4 INCONCLUSIVE. It is 2 where something is to be corrected
    first, 3 also where a server or the disk fails, and 130 after Ctrl-C.

    With --aa there is no CANDIDATE: the baseline is asked everything afresh, twice or as often as
    --repeats says, its askings are judged against each other, and later gates show the noise beside
    their numbers. A measurement that was broken off goes on, with --no-cache it starts again.
    """
    selection = whole(suite_names, repeats, concurrency)
    if aa or stored:
        _check_local(engine, ray_address, workers)
    if aa:
        _check_alone(candidate, stored)
        measure(open_project(config), baseline, selection, anew=no_cache, as_json=as_json)
        return
    if candidate is None:
        raise click.UsageError("Missing argument 'CANDIDATE'.")
    project = open_project(config)
    against = baseline or project.policy().baseline
    folder = report_folder(project, candidate, against)
    try:
        bench = _open(project, candidate, against, suite_names)
        bench.check_repeats(candidate, repeats)
        targets = (*bench.live_baseline, candidate)
        with Console() as console:
            if stored:
                runs = rescore(project, targets, bench.suites, selection)
            else:
                ask = partial(run, project, targets, bench.suites, console, selection)
                with chosen_cluster(engine, ray_address, workers, console.say) as cluster:
                    runs = ask(reuse="begun" if no_cache else "stored", cluster=cluster)
            found = bench.compare(candidate, runs)
            found = with_latency(bench, found, console, stored=stored, anew=no_cache)
        verdict = judge(bench, found)
    except (EvidenceError, InfrastructureError) as error:
        # What an error leaves behind must not look like a verdict of today.
        remove_report(folder)
        if isinstance(error, EvidenceError):
            click.echo(f"INVALID  {candidate} against {against}", err=as_json)
        raise
    with unbroken():
        _tell(verdict, folder, as_json=as_json)
    sys.exit(verdict.exit_code)


def _tell(verdict: Verdict, folder: Path, *, as_json: bool) -> None:
    if as_json:
        click.echo(render_json(verdict), nl=False)
    else:
        print_verdict(verdict, folder)


def _check_local(engine: str, ray_address: str | None, workers: int | None) -> None:
    if engine != "local" or ray_address is not None or workers is not None:
        raise click.UsageError("--engine ray goes neither with --aa nor with --stored")


def _check_alone(candidate: str | None, stored: bool) -> None:
    if candidate is not None:
        raise click.UsageError("--aa takes no CANDIDATE: the baseline is held against itself")
    if stored:
        raise click.UsageError("--aa asks everything afresh, so --stored cannot go with it")


def judge(bench: Bench, comparison: Comparison) -> Verdict:
    """The verdict on the comparison; its report is written."""
    verdict = with_noise(bench.project, bench.judge(comparison), comparison.baseline)
    write_report(verdict, comparison, bench.folder(comparison.candidate.header.target))
    return verdict


def with_latency(
    bench: Bench, comparison: Comparison, console: Console, *, stored: bool, anew: bool
) -> Comparison:
    """The comparison with what the policy's rules on latency are judged by, if it has any.

    It is not measured where the answers cannot be trusted: nothing would be made of it.
    """
    if not latency_rules(bench.policy) or bench.doubts(comparison):
        return comparison
    project = bench.project
    wanted = _contest(bench, comparison.candidate.header.target)
    section = (
        stored_section(project, wanted) if stored else measured(project, wanted, console, anew=anew)
    )
    return with_section(comparison, section, project)


def _contest(bench: Bench, candidate: str) -> Contest:
    return contest(bench.project, candidate, bench.policy.baseline, bench.project.config.latency)


def _open(
    project: Project, candidate: str, baseline: str | None, suite_names: tuple[str, ...]
) -> Bench:
    """The bench on which the candidate is judged, its latency among the rest if it is to be."""
    bench = open_bench(project, [candidate], baseline, suite_names)
    if latency_rules(bench.policy):
        _contest(bench, candidate)  # what cannot be measured is said before anything is asked
    return bench


def print_verdict(verdict: Verdict, folder: Path) -> None:
    """Print the verdict with its reason, each rule on a line, and where the report is."""
    click.echo(f"{verdict.verdict}  {verdict.candidate} against {verdict.baseline}")
    click.echo(f"  {verdict.reason}")
    for problem in verdict.problems[1:]:  # the first is the reason
        click.echo(f"  evidence: {problem}")
    for rule in () if verdict.problems else verdict.rules:
        click.echo(f"  {rule.outcome:<13} {rule.reason}")
    for rule in verdict.rules:
        if rule.too_fine:
            # A rule that is decided all the same need worry nobody.
            kind = "warning" if rule.outcome == "inconclusive" else "note"
            click.echo(f"  {kind}: {rule.metric}: {shortfall(rule)}")
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
