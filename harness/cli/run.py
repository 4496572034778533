"""`harness run`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import click

from harness.cli.console import Console
from harness.cli.options import (
    chosen_cluster,
    config_option,
    engine_options,
    generation_options,
    json_option,
    open_project,
    part_options,
    suite_option,
)
from harness.errors import EvidenceError
from harness.records.run import Run
from harness.report.repeats import repeats_sentences
from harness.stages.load import load_suites
from harness.stages.plan import Selection
from harness.stages.resume import Reuse
from harness.stages.run import run


@click.command("run")
@click.argument("targets", nargs=-1, required=True, metavar="TARGET...")
@config_option
@suite_option
@part_options
@generation_options
@engine_options
@json_option
def command(
    targets: tuple[str, ...],
    config: Path,
    suite_names: tuple[str, ...],
    cases: tuple[str, ...],
    limit: int | None,
    repeats: int | None,
    concurrency: int | None,
    no_cache: bool,
    engine: str,
    ray_address: str | None,
    workers: int | None,
    as_json: bool,
) -> None:
    """Put the suites to each TARGET and score the answers, resuming what is unfinished.

    Exits with 3 where not a single attempt of a target could be scored.
    """
    project = open_project(config)
    suites = load_suites(project, suite_names)
    selection = Selection(suite_names, cases, limit, repeats, concurrency)
    reuse: Reuse = "begun" if no_cache else "stored"
    with (
        Console() as console,
        chosen_cluster(engine, ray_address, workers, console.say) as cluster,
    ):
        runs = run(project, targets, suites, console, selection, reuse=reuse, cluster=cluster)
    if as_json:
        click.echo(json.dumps({name: _summary(done) for name, done in runs.items()}, indent=2))
    else:
        told = repeats_sentences(list(runs.values()))
        for (name, done), words in zip(runs.items(), told, strict=True):
            _print(name, done, project.runs / done.header.run_id, words)
    check_scored(runs)


def check_scored(runs: Mapping[str, Run]) -> None:
    """Nothing, where every run has at least one score.

    Raises:
        EvidenceError: one has none: that is never a success.
    """
    for name, done in runs.items():
        if done.accounting().scored == 0:
            raise EvidenceError(
                f"`{name}`: none of {done.header.planned} attempts could be scored",
                hint=done.scores[0].reason if done.scores else "",
            )


def _summary(done: Run) -> dict[str, object]:
    return {
        "run_id": done.header.run_id,
        "accounting": done.accounting().model_dump(),
        "states": done.states(),
        "repeats": dict(zip(("differ", "cases"), done.repeats(), strict=True)),
        "metrics": done.metrics(),
    }


def _print(name: str, done: Run, folder: Path, repeats: str) -> None:
    accounting = done.accounting()
    click.echo(
        f"{name}: {accounting.planned} planned, {accounting.scored} scored, "
        f"{accounting.unscored} unscored, {accounting.failed} failed"
    )
    states = {state: count for state, count in done.states().items() if state != "ok"}
    if states:
        click.echo("  " + ", ".join(f"{count} {state}" for state, count in sorted(states.items())))
    if repeats:
        click.echo(f"  {repeats}")
    if trouble := done.commonest_trouble():
        click.echo(f"  most often {trouble}")
    for metric, value in done.metrics().items():
        click.echo(f"  {metric:<40} {value:.3f}")
    click.echo(f"  {folder}")
