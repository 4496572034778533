"""`harness run` and `harness score`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import click

from harness.cli.console import Console
from harness.cli.options import (
    EngineOptions,
    config_option,
    engine_options,
    json_option,
    no_cache_option,
    part_options,
    suite_option,
)
from harness.config import Project, load_project
from harness.errors import EvidenceError
from harness.files import short_path
from harness.records.cost import spending
from harness.records.run import RunRecord
from harness.records.summary import Summary
from harness.report.runs import repeats_sentences, spending_sentence
from harness.run.plan import Selection
from harness.run.rescore import rescore
from harness.run.resume import Reuse
from harness.sections.evaluate import Evaluation, left_out
from harness.sections.section_kinds import load_suites
from harness.session.asked_alike import asked_differently_lines


@click.command("run")
@click.argument("targets", nargs=-1, required=True, metavar="TARGET...")
@config_option
@part_options
@no_cache_option
@engine_options
@json_option
def command(
    targets: tuple[str, ...],
    config: Path,
    selection: Selection,
    no_cache: bool,
    engine: EngineOptions,
    as_json: bool,
) -> None:
    """Put the suites to each TARGET and score the answers, resuming what is unfinished.

    Answers and scores are kept under .harness/runs, or where runs_dir says. The exit code is 0 also
    where single attempts failed: the same command asks those again. It is 2 where something is to
    be corrected first, 3 where a server fails or not a single attempt of a target could be scored,
    and 130 after Ctrl-C. Python tests need a baseline too: they are left out, and a line says so.
    """
    project = load_project(config)
    loaded = load_suites(project, selection.suites)
    reuse: Reuse = "begun" if no_cache else "stored"
    for words in asked_differently_lines(project, loaded, targets):
        click.echo(f"warning: {words}", err=True)
    with Console() as console, engine.cluster(console.say) as cluster:
        asked = Evaluation(project, loaded, console, selection, reuse, cluster)
        runs = asked.run(targets)
    for name, what in left_out(asked, runs).items():
        gate = f"`harness gate {name}`" if _is_candidate(project, name) else "a gate"
        click.echo(
            f"note: {name}: left out are {', '.join(what)}: {gate} runs them for both sides",
            err=True,
        )
    if as_json:
        check_scored(runs)  # before: standard output is to hold one object
        click.echo(json.dumps({name: _summary(done) for name, done in runs.items()}, indent=2))
    else:
        sentences = repeats_sentences(list(runs.values()))
        for (name, done), repeats in zip(runs.items(), sentences, strict=True):
            _print(name, done, short_path(project.runs / done.header.run_id), repeats)
        check_scored(runs)


@click.command("score")
@click.argument("targets", nargs=-1, required=True, metavar="TARGET...")
@config_option
@suite_option
def score(targets: tuple[str, ...], config: Path, suites: tuple[str, ...]) -> None:
    """Score each TARGET's stored answers again, under the suites as they are now.

    No server is asked; a case whose prompt changed has no stored answer and is an error.
    """
    project = load_project(config)
    runs = rescore(project, targets, load_suites(project, suites), Selection(suites))
    for name, done in runs.items():
        accounting = done.summary.accounting
        click.echo(f"{name}: {accounting.scored} of {accounting.planned} scored")
        for metric, value in done.summary.metrics.items():
            click.echo(f"  {metric:<40} {value:.3f}")
    check_scored(runs)


def _is_candidate(project: Project, name: str) -> bool:
    """Whether a gate can judge the target: there is a policy, and another is its baseline."""
    return project.config.gate is not None and name != project.config.gate.baseline


def check_scored(runs: Mapping[str, RunRecord]) -> None:
    """Nothing, where every run has at least one score.

    Raises:
        EvidenceError: one has none: that is never a success.
    """
    for name, done in runs.items():
        summary = sealed_summary(done)
        if summary.accounting.scored == 0:
            raise EvidenceError(
                f"`{name}`: none of {done.header.planned} attempts could be scored",
                hint=summary.trouble,
            )


def sealed_summary(done: RunRecord) -> Summary:
    """The summary of a finished run as it was sealed, so that its records need not be read."""
    return done.header.summary or done.summary


def _summary(done: RunRecord) -> dict[str, object]:
    summary = sealed_summary(done)
    return {
        "run_id": done.header.run_id,
        "accounting": summary.accounting.model_dump(),
        "states": summary.states,
        "repeats": summary.repeats.model_dump(),
        "spending": spending(summary.tokens, done.header.asking).model_dump(),
        "metrics": summary.metrics,
    }


def _print(name: str, done: RunRecord, folder: Path, repeats: str) -> None:
    summary = sealed_summary(done)
    again = " (asked again by the same command)" if summary.accounting.failed else ""
    click.echo(f"{name}: {summary.accounting}{again}")
    states = {state: count for state, count in summary.states.items() if state != "ok"}
    if states:
        click.echo("  " + ", ".join(f"{count} {state}" for state, count in sorted(states.items())))
    asking = done.header.asking
    if spent := spending_sentence(spending(summary.tokens, asking), asking):
        click.echo(f"  {spent}")
    if repeats:
        click.echo(f"  {repeats}")
    if summary.trouble:
        click.echo(f"  most often {summary.trouble}")
    for metric, value in summary.metrics.items():
        click.echo(f"  {metric:<40} {value:.3f}")
    click.echo(f"  {folder}")
