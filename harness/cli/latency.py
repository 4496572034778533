"""`harness latency`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from pydantic import ValidationError

from harness.cli.console import Console, table, unbroken
from harness.cli.options import config_option, json_option
from harness.config import Project, load_project
from harness.errors import UsageError
from harness.files import short_path
from harness.latency.latency_rule import judge_rule, latency_rules
from harness.records.base import explain
from harness.records.latency import ArmFigures, Bounded, LatencySection, LatencySettings, LoadResult
from harness.records.verdict import EXIT_CODES, RuleResult, decide
from harness.report.latency_content import shortages
from harness.report.latency_summary import deployments_words, found_words
from harness.report.write import write_latency
from harness.session.context import report_folder
from harness.session.measurements import contest, measured


@click.command("latency")
@click.argument("candidate")
@click.option("--baseline", metavar="NAME", help="A target, instead of the policy's baseline.")
@click.option(
    "--load",
    "loads",
    multiple=True,
    metavar="LOAD",
    help="single, closed:16, poisson:5/s or poisson:65% of the baseline's capacity; repeatable.",
)
@click.option("--requests", type=int, help="Requests that count, of each arm at each load.")
@click.option("--rounds", type=int, help="How often the arms take turns.")
@click.option("--max-tokens", type=int, help="How long answers are.")
@click.option(
    "--slo-ttft", type=float, metavar="SECONDS", help="The objective for the first token."
)
@click.option(
    "--slo-tta", type=float, metavar="SECONDS", help="The objective for the first of the answer."
)
@click.option("--slo-e2e", type=float, metavar="SECONDS", help="The objective for a whole answer.")
@click.option("--stored", is_flag=True, help="Show the last measurement again; ask no server.")
@click.option("--no-cache", is_flag=True, help="Begin anew, whatever was broken off.")
@config_option
@json_option
def command(
    candidate: str,
    baseline: str | None,
    loads: tuple[str, ...],
    requests: int | None,
    rounds: int | None,
    max_tokens: int | None,
    slo_ttft: float | None,
    slo_tta: float | None,
    slo_e2e: float | None,
    stored: bool,
    no_cache: bool,
    config: Path,
    as_json: bool,
) -> None:
    """Measure whether CANDIDATE is slower than the baseline, both asked in turns on one server.

    Targets on two servers of one machine are compared as deployments: both servers are up side by
    side where memory allows, else in turns, started anew for each block. Settings are those of
    `latency:` in the configuration, where no option says otherwise. A measurement that was broken
    off goes on with its next round. The exit code is that of the policy's rules on latency: 0 where
    all pass or there is none, 1 where one fails, 4 where the evidence cannot tell, 3 where it
    cannot be trusted; 2 where something is to be corrected first.
    """
    project = load_project(config)
    objectives = (("ttft", slo_ttft), ("tta", slo_tta), ("e2e", slo_e2e))
    slo = {name: seconds for name, seconds in objectives if seconds is not None}
    chosen = _settings(
        project,
        {
            "loads": loads or None,
            "requests": requests,
            "rounds": rounds,
            "max_tokens": max_tokens,
            "slo": slo or None,
        },
    )
    policy = project.config.gate
    against = baseline or (policy.baseline if policy is not None else None)
    if against is None:
        raise UsageError("there is no baseline", hint="name one with --baseline")
    wanted = contest(project, candidate, against, chosen)
    with Console() as console:
        section = measured(project, wanted, console, stored=stored, anew=no_cache)
    rules = tuple(judge_rule(rule, section) for rule in latency_rules(policy))
    folder = report_folder(project, candidate, against)
    write_latency(section, candidate, against, rules, folder)
    with unbroken():
        if as_json:
            click.echo(section.model_dump_json(indent=2))
        else:
            if found := found_words(section):
                click.echo(f"{candidate} against {against}: {found}")
            print_section(section, candidate, against, judged=bool(rules))
            for rule in rules:
                click.echo(f"  {rule.outcome:<13} {rule.reason}")
            click.echo(f"  report: {short_path(folder / 'latency.html')}")
    sys.exit(_exit_code(section, rules))


def _exit_code(section: LatencySection, rules: Sequence[RuleResult]) -> int:
    problems = [problem for load in section.loads for problem in load.problems]
    if not rules:
        late = any(load.late for load in section.loads)
        return EXIT_CODES["INVALID"] if problems or late else 0
    return EXIT_CODES[decide(problems, (rule.outcome for rule in rules))]


def _settings(project: Project, given: dict[str, Any]) -> LatencySettings:
    """The configured settings with the command line's on top.

    Raises:
        UsageError: they cannot be.
    """
    own = {name: value for name, value in given.items() if value is not None}
    try:
        return LatencySettings.model_validate(
            {**project.config.latency.model_dump(mode="json"), **own}
        )
    except ValidationError as error:
        raise UsageError(explain(error)) from None


def print_section(section: LatencySection, candidate: str, baseline: str, *, judged: bool) -> None:
    """Print each load's figures and ratios, and every reason not to believe them.

    Where deployments were compared, that is said first. A late client is a reason where nothing is
    `judged`; rules say themselves whether it matters.
    """
    if words := deployments_words(section, candidate, baseline):
        click.echo(words)
    for load in section.loads:
        rate = "" if load.rate is None else f" ({load.rate:.3g} requests/s)"
        click.echo(f"{candidate} against {baseline} at {load.load}{rate}, {load.rounds} rounds")
        for line in (*_metrics(load), *shortages(load), *map(_arm, load.arms)):
            click.echo(f"  {line}")
        late = () if judged else load.late
        for problem in (*load.problems, *late):
            click.echo(f"  INVALID: {problem}")
        for note in load.notes:
            click.echo(f"  note: {note}")


def _metrics(load: LoadResult) -> list[str]:
    rows = [("", "candidate", "baseline", "ratio", "baseline against itself")]
    for metric in load.metrics:
        ratio = _interval(metric.ratio)
        if not metric.certifiable:
            ratio += "*"
        ours, theirs = metric.candidate.estimate, metric.baseline.estimate
        values = _milliseconds(ours), _milliseconds(theirs)
        rows.append((metric.metric, *values, ratio, _interval(metric.control)))
    return table(rows, left=1) if len(rows) > 1 else []


def _arm(arm: ArmFigures) -> str:
    tokens = "" if arm.tokens_per_second is None else f", {arm.tokens_per_second:.0f} tokens/s"
    goodput = ""
    if arm.goodput is not None and arm.goodput.estimate is not None:
        goodput = f", {100 * arm.goodput.estimate:.1f} % within the SLO"
    return (
        f"{arm.arm}: {arm.requests} requests, {arm.failed} failed, "
        f"{arm.requests_per_second:.3g} answers/s{tokens}{goodput}"
    )


def _interval(bounds: Bounded) -> str:
    estimate, low, high = (
        "∞" if value is None else f"{value:.3f}"
        for value in (bounds.estimate, bounds.low, bounds.high)
    )
    return f"{estimate} [{low}, {high}]"


def _milliseconds(seconds: float | None) -> str:
    return "∞" if seconds is None else f"{1000.0 * seconds:.1f} ms"
