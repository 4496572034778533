"""`harness report`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from harness.cli.options import baseline_option, config_option, suite_option
from harness.config import load_project
from harness.errors import EvidenceError
from harness.files import short_path
from harness.report.write import VERDICT, write_history, write_report
from harness.session.context import open_context
from harness.session.measurements import as_judged
from harness.session.stored_results import gather_history
from harness.targets.candidates import find_training


@click.command("report")
@click.argument("candidate", required=False)
@click.option(
    "--history", "over_time", is_flag=True, help="Draw every metric over all gates instead."
)
@click.option(
    "--from",
    "sources",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="With --history: gates kept elsewhere too, a file or folder; repeatable.",
)
@baseline_option
@config_option
@suite_option
@click.option("--json", "as_json", is_flag=True, help="With --history: print it as JSON.")
def command(
    candidate: str | None,
    over_time: bool,
    sources: tuple[Path, ...],
    baseline: str | None,
    config: Path,
    suites: tuple[str, ...],
    as_json: bool,
) -> None:
    """Write the report on CANDIDATE's last verdict again, from stored records.

    Where the records no longer match the verdict, or do not lead to it, that is an error.

    With --history there is no CANDIDATE: for each suite its metrics are drawn over all gates and
    sealed baselines, into reports/history/<suite>/. Gates are kept in .harness/gates.jsonl; --from
    adds verdict.json and gates.jsonl files of other machines.
    """
    if over_time:
        if candidate is not None or baseline is not None:
            raise click.UsageError("--history goes with neither a CANDIDATE nor --baseline")
        _over_time(config, suites, sources, as_json=as_json)
        return
    if sources or as_json:
        raise click.UsageError("--from and --json go with --history")
    if candidate is None:
        raise click.UsageError("Missing argument 'CANDIDATE', or --history.")
    _again(candidate, baseline, config, suites)


def _over_time(
    config: Path, suites: tuple[str, ...], sources: tuple[Path, ...], *, as_json: bool
) -> None:
    project = load_project(config)
    found = gather_history(project, suites, sources)
    for history in found:
        paths = write_history(history, project.reports / "history" / history.suite)
        for path in () if as_json else paths:
            click.echo(short_path(path))
    if as_json:
        rows = [history.model_dump(mode="json") for history in found]
        click.echo(json.dumps({"histories": rows}, indent=2))


def _again(candidate: str, baseline: str | None, config: Path, suites: tuple[str, ...]) -> None:
    context = open_context(load_project(config), [candidate], baseline, suites)
    verdict = context.stored_verdict(candidate)
    runs = context.judged_runs(verdict)
    comparison = as_judged(context.project, verdict, context.compare(candidate, runs))
    again = context.given_again(verdict, comparison)
    where, hint = str(short_path(context.folder(candidate) / VERDICT)), f"harness gate {candidate}"
    changed = verdict.hashes.differences(again.hashes)
    if changed:
        raise EvidenceError(
            f"the verdict rests on what has changed since: {', '.join(changed)}",
            where=where,
            hint=hint,
        )
    parts = verdict.contradictions(again)
    if parts:
        raise EvidenceError(
            f"the stored records do not lead to this verdict: {', '.join(parts)} differ",
            where=where,
            hint=hint,
        )
    again = again.model_copy(update={"hashes": verdict.hashes})
    training = find_training(context.project, comparison.candidate.header)
    for path in write_report(again, comparison, context.folder(candidate), training):
        click.echo(short_path(path))
