"""`harness promote`."""

from __future__ import annotations

from pathlib import Path

import click

from harness.bench.evidence import open_bench
from harness.bench.timing import as_judged
from harness.cli.console import shown
from harness.cli.options import config_option, open_project
from harness.config import FOLDER_NAME
from harness.stages.promote import check_run, promote


@click.command("promote")
@click.argument("candidate")
@click.option("--name", metavar="NAME", help="What to call the baseline; the candidate's name.")
@config_option
def command(candidate: str, name: str | None, config: Path) -> None:
    """Seal CANDIDATE's run into baselines/<suite>/<name>.json, if its verdict is PROMOTE.

    The verdict is that against the policy's own baseline.

    Refused where the verdict is another, or where suites, configuration, runs, adapter or harness
    are no longer what they were when it was given.
    """
    chosen = name or candidate
    _check_name(chosen)
    bench = open_bench(open_project(config), [candidate], None, ())
    verdict = bench.stored_verdict(candidate)
    runs = bench.judged_runs(verdict)
    comparison = as_judged(bench.project, verdict, bench.compare(candidate, runs))
    for judged in runs.values():
        check_run(bench.project, judged)
    now = bench.circumstances(comparison)
    paths = promote(verdict, comparison, bench.policy, now, chosen, bench.project.baselines)
    for path in paths:
        click.echo(f"sealed {shown(path)}")
    click.echo(f"use it with `baseline: sealed:{chosen}` under `gate:`, and commit it")


def _check_name(name: str) -> None:
    if not FOLDER_NAME.fullmatch(name):
        raise click.BadParameter(
            f"`{name}`: use letters, digits, `.`, `_` and `-`", param_hint="--name"
        )
