"""`harness gate --aa`: the noise of a baseline, measured, kept and printed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from harness.cli.console import Console, shown, unbroken
from harness.cli.table import table
from harness.config import Project
from harness.gate.noise import false_alarms
from harness.records.noise import Noise, RuleNoise
from harness.records.rule import kind_of
from harness.report.numbers import counted
from harness.run.plan import Selection
from harness.session.noise import measure_baseline, noise_path


def measure(
    project: Project, baseline: str | None, selection: Selection, *, anew: bool, as_json: bool
) -> None:
    """Measure the noise of the baseline, keep it and print it."""
    with Console() as console:
        noise = measure_baseline(project, baseline, selection, console, anew=anew)
    with unbroken():
        if as_json:
            click.echo(noise.model_dump_json(indent=2))
        else:
            print_noise(noise, noise_path(project, noise.target))


def print_noise(noise: Noise, path: Path) -> None:
    """Print what the askings differ in: each rule, metric and section, and the verdicts."""
    click.echo(
        f"{noise.target} against itself: {noise.askings} askings of "
        f"{counted(noise.repeats, 'attempt')} a case, {counted(noise.pairs, 'pair')}, "
        "each taken both ways"
    )
    for lines in (_rules(noise), _metrics(noise), _sections(noise)):
        for line in lines:
            click.echo(f"  {line}")
    click.echo(f"  verdicts: {_counts(noise.verdicts)}; {_percent(noise.flip_rate)} flip")
    click.echo(f"  false alarms: {', '.join(_alarms(noise)) or 'none'}")
    click.echo(f"  {shown(path)}")


def _rules(noise: Noise) -> list[str]:
    rows = [(_rule(rule), _counts(rule.outcomes), _percent(rule.flip_rate)) for rule in noise.rules]
    return table([("rule", "outcomes", "flips"), *rows], left=2)


def _metrics(noise: Noise) -> list[str]:
    rows = [
        (each.metric, f"{each.value:.3f}", f"{each.noise:.4f}", f"{each.largest:.4f}")
        for each in noise.metrics
    ]
    return table([("metric", "value", "noise", "largest"), *rows], left=1)


def _sections(noise: Noise) -> list[str]:
    rows = [
        (f"{each.suite}.{each.section}", str(each.cases), *map(_percent, (each.flips, each.texts)))
        for each in noise.sections
    ]
    return table([("section", "cases", "flips", "texts differ"), *rows], left=1)


def _rule(rule: RuleNoise) -> str:
    limit = "" if rule.limit is None else f" ({rule.limit:g})"
    return f"{rule.metric or ''} {rule.require}{limit}".lstrip()


def _alarms(noise: Noise) -> Iterator[str]:
    """How often each rule said that something changed, where it ever did."""
    for rule in noise.rules:
        if count := false_alarms(rule):
            yield f"{count} {kind_of(rule).false_alarm} of {_rule(rule)}"


def _counts(found: Mapping[Any, int]) -> str:
    most_first = sorted(found.items(), key=lambda item: -item[1])
    return ", ".join(f"{name} {count}" for name, count in most_first)


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
