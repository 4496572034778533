"""`harness promote`."""

from __future__ import annotations

from pathlib import Path

import click

from harness.cli.evidence import Bench, open_bench
from harness.cli.gate import shown
from harness.cli.options import config_option, open_project
from harness.errors import PromotionRefused
from harness.records.run import Run
from harness.records.suite import NAME_PATTERN
from harness.records.target import ManagedServer
from harness.stages.connect import identify
from harness.stages.promote import promote
from harness.stages.run import run_async


@click.command("promote")
@click.argument("candidate")
@click.option("--name", metavar="NAME", help="What to call the baseline; the candidate's name.")
@click.option("--baseline", metavar="NAME", help="What the candidate was judged against.")
@config_option
def command(candidate: str, name: str | None, baseline: str | None, config: Path) -> None:
    """Seal CANDIDATE's run into baselines/<suite>/<name>.json, if its verdict is PROMOTE.

    Refused where the verdict is another, or where suites, configuration, runs, adapter or harness
    are no longer what they were when it was given.
    """
    chosen = name or candidate
    _check_name(chosen)
    bench = open_bench(open_project(config), [candidate], baseline, ())
    verdict = bench.stored_verdict(candidate)
    runs = bench.judged_runs(verdict)
    comparison = bench.compare(candidate, runs)
    _check_weights(bench, runs[candidate])
    now = bench.circumstances(comparison)
    paths = promote(verdict, comparison, bench.policy, now, chosen, bench.project.baselines)
    for path in paths:
        click.echo(f"sealed {shown(path)}")
    click.echo(f"use it with `baseline: sealed:{chosen}` under `gate:`, and commit it")


def _check_name(name: str) -> None:
    import re

    if not re.match(NAME_PATTERN, name):
        raise click.BadParameter(
            f"`{name}`: use small letters, digits, - and _", param_hint="--name"
        )


def _check_weights(bench: Bench, judged: Run) -> None:
    """Refuse where the files of a managed candidate are not those that answered."""
    target = judged.header.target
    server = bench.project.config.servers[bench.project.target(target).server]
    if not isinstance(server, ManagedServer):
        return
    current = run_async(identify(bench.project, target))
    if current != judged.header.identity:
        raise PromotionRefused(
            f"the files of `{target}` are not the ones that were judged",
            hint=f"run `harness gate {target}` again",
        )
