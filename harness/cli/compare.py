"""`harness compare`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from harness.cli.console import short_path, table
from harness.cli.options import config_option, json_option, open_project, suite_option
from harness.report.lineup.json import render_lineup_json
from harness.report.lineup.model import LineupView, MetricRow, RecommendationView
from harness.report.lineup.view import NOT_MEASURED, build_lineup
from harness.report.lineup.write import write_lineup
from harness.session.leaderboard import build_leaderboard

_LISTED = 5


@click.command("compare")
@click.argument("candidates", nargs=-1, required=True, metavar="CANDIDATE...")
@click.option(
    "--baseline", metavar="NAME", help="Instead of the policy's: a target or sealed:NAME."
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Also write compare.html, compare.md and compare.json there.",
)
@config_option
@suite_option
@json_option
def command(
    candidates: tuple[str, ...],
    baseline: str | None,
    output: Path | None,
    config: Path,
    suite_names: tuple[str, ...],
    as_json: bool,
) -> None:
    """Show CANDIDATEs side by side, and which of them the policy speaks for.

    Every name is a candidate; the baseline is the policy's or --baseline, and is left out where it
    is named among the candidates. Works on stored answers. The verdicts are those that a gate would
    give on them; none is kept. The p-value is for being worse than the baseline, Holm-corrected for
    the number of metrics. Without a `gate:` in the configuration nothing is judged or recommended,
    and --baseline is needed.
    """
    lineup = build_leaderboard(open_project(config), candidates, baseline, suite_names)
    # Before anything is printed: an error of it is then all that standard output holds.
    written = () if output is None else write_lineup(lineup, output)
    if as_json:
        click.echo(render_lineup_json(lineup), nl=False)
    else:
        for line in _lines(build_lineup(lineup)):
            click.echo(line)
    for path in written:
        click.echo(short_path(path.absolute()), err=as_json)


def _lines(view: LineupView) -> Iterator[str]:
    if view.recommendation is not None:
        yield from _recommended(view.recommendation)
        yield ""
        yield from _verdicts(view)
        yield ""
        yield from _rules(view)
        yield ""
    yield from _metrics(view)
    for one in view.contenders:
        yield from (f"{one.name}: {section}: {told}" for section, told in one.changes)
    for one in view.contenders:
        if one.new_critical:
            first = ", ".join(one.new_critical[:_LISTED])
            left = len(one.new_critical) - _LISTED
            more = f" and {left} more" if left > 0 else ""
            yield f"{one.name}: newly fails critical cases: {first}{more}"
    yield from (f"note: {note}" for note in view.notes)


def _recommended(found: RecommendationView) -> Iterator[str]:
    yield found.title
    yield f"  {found.reason}"
    for each in found.advantages:
        yield (
            f"  {each.metric}: {each.better} before {each.worse} by {each.difference} "
            f"[{each.interval}], p {each.p_value}"
        )
    yield from (f"  note: {note}" for note in filter(None, (found.told, *found.notes)))


def _verdicts(view: LineupView) -> list[str]:
    rows = [(one.name, one.verdict, one.reason) for one in view.contenders]
    return table([("candidate", "verdict", "why"), *rows], left=3)


def _rules(view: LineupView) -> list[str]:
    rows = [("rule", "required", *(one.name for one in view.contenders))]
    for row in view.rules:
        cells = (
            "–" if one is None else NOT_MEASURED if one.told == NOT_MEASURED else one.outcome
            for one in row.cells
        )
        rows.append((row.name, row.requirement, *cells))
    return table(rows, left=len(rows[0]))


def _metrics(view: LineupView) -> list[str]:
    head = ("metric", "target", "value", "difference", "interval", "p of a loss, corrected")
    rows = [head]
    for row in view.metrics:
        rows += _metric(view, row)
    return table(rows, left=2)


def _metric(view: LineupView, row: MetricRow) -> Iterator[tuple[str, str, str, str, str, str]]:
    yield row.name, view.baseline, row.baseline, "", "", ""
    for one, cell in zip(view.contenders, row.cells, strict=True):
        yield "", one.name, cell.value, cell.difference, cell.interval, cell.p_of_loss
