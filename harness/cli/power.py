"""`harness power`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import click

from harness.cli.console import table
from harness.cli.options import config_option, json_option, suite_option
from harness.config import load_project
from harness.gate.judge import planned_metrics, planned_power, power
from harness.gate.stopping import expected_cases
from harness.records.rule import USUAL_DISCORDANCE
from harness.records.verdict import RulePower
from harness.run.plan import Selection
from harness.run.rescore import rescore
from harness.session.context import GateContext, open_context
from harness.session.holdout import holdout_policy
from harness.session.past_gates import wear_lines


@click.command("power")
@click.argument("candidate", required=False)
@click.option(
    "--discordance",
    type=float,
    metavar="SHARE",
    help="Without CANDIDATE: the share of groups that change by chance (default 0.1).",
)
@click.option(
    "--audit",
    "labelled",
    type=click.IntRange(min=2),
    metavar="N",
    help="Without CANDIDATE: how many groups of a section people will label, for rules with "
    "`evidence: audited` (default all).",
)
@config_option
@suite_option
@json_option
def command(
    candidate: str | None,
    discordance: float | None,
    labelled: int | None,
    config: Path,
    suites: tuple[str, ...],
    as_json: bool,
) -> None:
    """Show what drop each rule of the policy can detect with the suites as they are.

    A drop is detectable if a candidate that is unchanged passes a margin of that size four times
    out of five. With CANDIDATE the spread is that of its stored answers against the baseline's;
    without, nothing has to have been asked. Then comes how often the suites were looked at, what
    tuning to them may have gained, and what is left of the policy's budget of false promotions.
    """
    project = load_project(config)
    held: tuple[RulePower, ...] = ()
    if candidate is not None:
        if discordance is not None:
            raise click.UsageError("--discordance is for suites that no CANDIDATE has answered")
        if labelled is not None:
            raise click.UsageError("--audit is for labels that are not there yet: leave CANDIDATE")
        context = open_context(project, [candidate], None, suites)
        targets = (*context.live_baseline, candidate)
        runs = rescore(project, targets, context.suites, Selection(suites))
        found = power(context.trusted(context.compare(candidate, runs)), context.policy)
        basis = f"with the spread seen between {candidate} and {context.policy.baseline}"
    else:
        share = USUAL_DISCORDANCE if discordance is None else discordance
        if not 0.0 <= share <= 1.0:
            raise click.UsageError(f"--discordance must lie between 0 and 1, got {share:g}")
        context = open_context(project, [], None, suites)
        found = planned_power(context.suites, context.policy, share, labelled)
        held = _on_holdout(context, share, labelled)
        basis = (
            f"if {100 * share:g} % of the groups change by chance (at_least, at_most: if the "
            "value is near the limit)"
        )
    if as_json:
        rows = [{**each.model_dump(), "enough": each.enough} for each in found]
        rows += [{**each.model_dump(), "enough": each.enough, "holdout": True} for each in held]
        click.echo(json.dumps(rows, indent=2))
        return
    _print(context, found, held, basis)


def _on_holdout(context: GateContext, share: float, labelled: int | None) -> tuple[RulePower, ...]:
    if context.holdout is None:
        return ()
    policy = holdout_policy(context.policy, context.holdout)
    return planned_power((context.holdout,), policy, share, labelled)


def _print(
    context: GateContext, found: Sequence[RulePower], held: Sequence[RulePower], basis: str
) -> None:
    alpha = context.policy.alpha
    click.echo(f"The smallest change that a rule detects at alpha {alpha:g} in four of five gates,")
    click.echo(f"{basis}:")
    head = ("metric", "rule", "cases", "groups", "detectable", "room", "more groups")
    for line in table([head, *(_row(each) for each in found)], left=2):
        click.echo(line)
    if context.policy.sequential:
        click.echo(_asked(context, found))
    if held:
        click.echo("The same on the holdout:")
        for line in table([head, *(_row(each) for each in held)], left=2):
            click.echo(line)
    for each in (*found, *held):
        if each.reason:
            click.echo(f"{each.metric or each.require}: {each.reason}")
    planned = planned_metrics(context.suites, USUAL_DISCORDANCE, weigh=context.policy.weigh)
    for line in wear_lines(context, planned):
        click.echo(line)


def _asked(context: GateContext, found: Sequence[RulePower]) -> str:
    """How many cases a gate asks that ends early, in words."""
    cases = {
        f"{suite.name}.{section.name}": len(section.cases)
        for suite in context.suites
        for section in suite.asked
    }
    expected = expected_cases(context.suites, context.policy, found)
    parts = (f"{expected[place]:,.0f} of {count:,} in {place}" for place, count in cases.items())
    return (
        f"With that room a gate asks {sum(expected.values()):,.0f} of {sum(cases.values()):,} "
        f"cases on average before it ends early: {', '.join(parts)}"
    )


def _row(each: RulePower) -> tuple[str, ...]:
    sizes = (_number(each.cases), _number(each.groups))
    distances = (_number(each.detectable), _number(each.room))
    return each.metric or "–", each.require, *sizes, *distances, _more(each)


def _number(value: float | None) -> str:
    if value is None:
        return "–"
    return str(value) if isinstance(value, int) else f"{value:.3f}"


def _more(each: RulePower) -> str:
    """How many groups are missing for the room there is."""
    if each.groups_needed is not None:
        return str(each.groups_needed - (each.groups or 0))
    if each.enough is None:
        return "–"
    return "none" if each.enough else "no number"
