"""`harness power`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import click

from harness.cli.evidence import open_bench
from harness.cli.options import config_option, json_option, open_project, suite_option, whole
from harness.records.power import RulePower
from harness.stages.power import planned_power, power
from harness.stages.rescore import rescore


@click.command("power")
@click.argument("candidate", required=False)
@click.option(
    "--discordance",
    type=click.FloatRange(0.0, 1.0),
    default=0.1,
    show_default=True,
    help="Without CANDIDATE: the share of groups whose outcome is taken to change by chance.",
)
@config_option
@suite_option
@json_option
def command(
    candidate: str | None,
    discordance: float,
    config: Path,
    suite_names: tuple[str, ...],
    as_json: bool,
) -> None:
    """Show what drop each rule of the policy can detect with the suites as they are.

    A drop is detectable if a candidate that is unchanged passes a margin of that size four times
    out of five. With CANDIDATE the spread is that of its stored answers against the baseline's;
    without, nothing has to have been asked.
    """
    project = open_project(config)
    if candidate is None:
        bench = open_bench(project, [], None, suite_names)
        found = planned_power(bench.suites, bench.policy, discordance)
        basis = f"if the outcome of {100 * discordance:g} % of the groups changes by chance"
    else:
        bench = open_bench(project, [candidate], None, suite_names)
        targets = (*bench.live_baseline, candidate)
        runs = rescore(project, targets, bench.suites, whole(suite_names))
        found = power(bench.compare(candidate, runs), bench.policy)
        basis = f"with the spread seen between {candidate} and {bench.policy.baseline}"
    if as_json:
        click.echo(json.dumps([each.model_dump() for each in found], indent=2))
        return
    click.echo(f"What a rule can tell at alpha {bench.policy.alpha:g}, four times out of five,")
    click.echo(f"{basis}:")
    for line in _table(found):
        click.echo(line)


def _table(found: Iterable[RulePower]) -> Iterable[str]:
    head = ("metric", "rule", "cases", "groups", "detectable", "margin", "more groups")
    rows = [head, *(_row(each) for each in found)]
    widths = [max(len(row[column]) for row in rows) for column in range(7)]
    for row in rows:
        left = (cell.ljust(width) for cell, width in zip(row[:2], widths[:2], strict=True))
        right = (cell.rjust(width) for cell, width in zip(row[2:], widths[2:], strict=True))
        yield "  ".join((*left, *right))


def _row(each: RulePower) -> tuple[str, ...]:
    margin = "–" if each.margin is None else f"{each.margin:.3f}"
    sizes = str(each.cases), str(each.groups)
    return each.metric, each.require, *sizes, f"{each.detectable:.3f}", margin, _more(each)


def _more(each: RulePower) -> str:
    """How many groups are missing for the margin."""
    if each.margin is None:
        return "–"
    if each.enough:
        return "none"
    return "no number" if each.groups_needed is None else str(each.groups_needed - each.groups)
