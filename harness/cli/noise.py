"""The noise of a baseline: measured by `harness gate --aa`, kept, and read by later gates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from pydantic import ValidationError

from harness.cli.console import Console, shown, unbroken
from harness.cli.evidence import open_bench
from harness.clock import SYSTEM_CLOCK, iso
from harness.config import SEALED, Project
from harness.errors import UsageError
from harness.files import read_bytes, write_atomic
from harness.records.noise import FALSE_ALARMS, Noise, RuleNoise
from harness.records.run import Run
from harness.records.verdict import Verdict
from harness.stages.noise import measure_noise
from harness.stages.plan import Selection
from harness.stages.run import run

FEWEST = 2


def measure(project: Project, baseline: str | None, selection: Selection, *, as_json: bool) -> None:
    """Ask the baseline everything afresh, more than once; keep and print how its askings differ.

    Raises:
        UsageError: the baseline is sealed, or fewer than two repeats are asked for.
        EvidenceError: too few answers could be scored.
    """
    name = project.policy().baseline if baseline is None else baseline
    if name.startswith(SEALED):
        raise UsageError(
            f"`{name}` cannot be asked again, its answers are sealed",
            hint="name a live target with --baseline",
        )
    bench = open_bench(project, [], baseline, selection.suites)
    repeats = selection.repeats or max(FEWEST, project.generation(name).repeats)
    if repeats < FEWEST:
        raise UsageError("--aa compares two askings at least", hint="give --repeats 2 or more")
    wanted = replace(selection, repeats=repeats)
    with Console() as console:
        runs = run(project, [name], bench.suites, console, wanted, use_cache=False)
    noise = measure_noise(runs[name], bench.suites, bench.policy, iso(SYSTEM_CLOCK.utc()))
    write_atomic(_path(project, name), noise.model_dump_json(indent=2) + "\n")
    with unbroken():
        if as_json:
            click.echo(noise.model_dump_json(indent=2))
        else:
            print_noise(noise, _path(project, name))


def with_noise(project: Project, verdict: Verdict, baseline: Run) -> Verdict:
    """The verdict with the baseline's stored noise beside its rules, where there is one that fits.

    Noise that was measured on something else is left out, and a line on standard error says so.
    """
    known = _stored(project, baseline)
    return verdict if known is None else verdict.with_noise(known.by_metric())


def _path(project: Project, target: str) -> Path:
    return project.noise / f"{target}.json"


def _stored(project: Project, baseline: Run) -> Noise | None:
    name = baseline.header.target
    # A sealed run's target may be gone from the configuration, or never have been there.
    data = read_bytes(_path(project, name)) if name in project.config.targets else None
    if data is None:
        return None
    try:
        noise = Noise.model_validate_json(data)
        reason = noise.misfit(baseline.header)
    except ValidationError:
        reason = "the file is damaged"
    if reason:
        click.echo(
            f"the stored noise of `{name}` is left out: {reason} - "
            f"`harness gate --aa --baseline {name}` measures it again",
            err=True,
        )
        return None
    return noise


def print_noise(noise: Noise, path: Path) -> None:
    """Print what the askings differ in: each rule, metric and section, and the verdicts."""
    click.echo(
        f"{noise.target} against itself: {noise.repeats} askings, "
        f"{noise.pairs} pair{'s' if noise.pairs > 1 else ''}, each taken both ways"
    )
    click.echo(f"  {'rule':<62}{'flips':>7}  outcomes")
    for rule in noise.rules:
        click.echo(f"  {_rule(rule):<62}{_percent(rule.flip_rate):>7}  {_outcomes(rule)}")
    click.echo(f"  {'metric':<42}{'value':>10}{'noise':>10}{'largest':>10}")
    for metric in noise.metrics:
        numbers = f"{metric.value:>10.3f}{metric.noise:>10.4f}{metric.largest:>10.4f}"
        click.echo(f"  {metric.metric:<42}{numbers}")
    click.echo(f"  {'section':<42}{'cases':>10}{'flips':>10}{'texts differ':>14}")
    for section in noise.sections:
        name = f"{section.suite}.{section.section}"
        shares = f"{_percent(section.flips):>10}{_percent(section.texts):>14}"
        click.echo(f"  {name:<42}{section.cases:>10}{shares}")
    click.echo(f"  verdicts: {_counts(noise.verdicts)}; {_percent(noise.flip_rate)} flip")
    alarms = sum(rule.false_alarms for rule in noise.rules)
    kinds = ", ".join(f"{outcome} of {require}" for require, outcome in FALSE_ALARMS.items())
    click.echo(f"  false alarms: {alarms} ({kinds}, where nothing differs)")
    click.echo(f"  {shown(path)}")


def _rule(rule: RuleNoise) -> str:
    limit = "" if rule.limit is None else f" ({rule.limit:g})"
    return f"{rule.metric or ''} {rule.require}{limit}".lstrip()


def _outcomes(rule: RuleNoise) -> str:
    alarm = FALSE_ALARMS.get(rule.require)
    mark = f"  <- {alarm} is a false alarm" if rule.false_alarms else ""
    return f"{_counts(rule.outcomes)}{mark}"


def _counts(found: Mapping[Any, int]) -> str:
    most_first = sorted(found.items(), key=lambda item: -item[1])
    return ", ".join(f"{name} {count}" for name, count in most_first)


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
