"""`harness gate --aa`: the noise of a baseline, measured, kept and printed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from harness.cli.console import Console, shown, unbroken
from harness.cli.table import table
from harness.clock import SYSTEM_CLOCK, iso
from harness.config import SEALED, Project
from harness.errors import UsageError
from harness.files import write_atomic
from harness.gate.noise import false_alarms, measure_noise
from harness.records.noise import Noise, RuleNoise
from harness.records.rule import kind_of
from harness.report.numbers import counted
from harness.run.engine import run
from harness.run.plan import Selection
from harness.run.resume import Reuse
from harness.session.evidence import open_bench
from harness.session.stored_noise import noise_path

FEWEST = 2
APART = ".harness/noise"


def measure(
    project: Project, baseline: str | None, selection: Selection, *, anew: bool, as_json: bool
) -> None:
    """Ask the baseline everything afresh, more than once; keep and print how its askings differ.

    The selection's repeats are the askings, each of as many attempts at a case as a gate makes.
    A measurement that was broken off goes on, unless it is to begin `anew`. Its answers are kept
    apart, so that a gate neither finds them nor loses its own.

    Raises:
        UsageError: the baseline is sealed, a suite is left out, or there is one asking only.
        EvidenceError: too few answers could be scored, or a rule cannot be judged.
    """
    name = project.policy().baseline if baseline is None else baseline
    if name.startswith(SEALED):
        raise UsageError(
            f"`{name}` cannot be asked again", hint="name a live target with --baseline"
        )
    bench = open_bench(project, [], baseline, selection.suites)
    if len(bench.suites) < len(project.config.suites):
        raise UsageError("--aa measures all suites together", hint="leave --suite away")
    askings = FEWEST if selection.repeats is None else selection.repeats
    if askings < FEWEST:
        raise UsageError("--aa compares two askings at least", hint="give --repeats 2 or more")
    repeats = project.generation(name).repeats
    wanted = replace(selection, repeats=askings * repeats)
    reuse: Reuse = "nothing" if anew else "measured"
    with Console() as console:
        apart = replace(project, working=APART)
        runs = run(apart, [name], bench.suites, console, wanted, reuse=reuse)
    noise = measure_noise(runs[name], bench.suites, bench.policy, iso(SYSTEM_CLOCK.utc()), repeats)
    write_atomic(noise_path(project, name), noise.model_dump_json(indent=2) + "\n")
    with unbroken():
        if as_json:
            click.echo(noise.model_dump_json(indent=2))
        else:
            print_noise(noise, noise_path(project, name))


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
