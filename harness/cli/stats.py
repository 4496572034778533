"""`harness stats`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import click

from harness.cli.console import table
from harness.cli.options import config_option, json_option, suite_option
from harness.config import load_project
from harness.gate.case_stats import (
    MORE,
    Deciding,
    Gained,
    SectionStats,
    deciding_groups,
    gained,
    section_stats,
)
from harness.records.suite import counted
from harness.session.case_stats import last_comparisons, runs_of_all
from harness.session.context import open_context
from harness.visible_text import one_line

_LISTED = 5


@click.command("stats")
@config_option
@suite_option
@json_option
def command(config: Path, suites: tuple[str, ...], as_json: bool) -> None:
    """Say which cases of the suites carry evidence, over all stored runs and gates.

    Cases in which no two models ever differ buy no evidence. Cases that come out otherwise when one
    model is asked again are noise. A group decides where a rule of a candidate's last gate would
    have come out otherwise without it. Last comes what 50 more groups would let each rule detect.
    Counted are runs on the suites as they are now, of every target, and those of `gate --aa`.
    """
    context = open_context(load_project(config), [], None, suites)
    sections = section_stats(context.suites, runs_of_all(context))
    comparisons = list(last_comparisons(context))
    deciding = [one for each in comparisons for one in deciding_groups(each, context.policy)]
    power = list(gained(context.suites, context.policy))
    if as_json:
        rows = {
            "sections": [asdict(one) for one in sections],
            "comparisons": len(comparisons),
            "deciding": [asdict(one) for one in deciding],
            "power": [asdict(one) for one in power],
        }
        click.echo(json.dumps(rows, indent=2))
        return
    for lines in (_sections(sections), _deciding(deciding, len(comparisons)), _power(power)):
        for line in lines:
            click.echo(line)


def _sections(sections: Sequence[SectionStats]) -> Iterator[str]:
    head = ("section", "cases", "compared", "never differ", "asked again", "flip")
    rows = [
        (one.place, *map(str, numbers))
        for one in sections
        for numbers in [(one.cases, one.compared, len(one.alike), one.repeated, len(one.flips))]
    ]
    yield from table([head, *rows], left=1)
    for one in sections:
        if one.alike:
            yield f"{one.place}: no model differs in {_first(one.alike)}"
        if one.flips:
            often = sorted(one.flips, key=lambda case: -one.flips[case])
            named = [f"{case} ({100 * one.flips[case]:.0f} %)" for case in often]
            yield f"{one.place}: asked again, another outcome in {_first(named)}"
    if not any(one.compared for one in sections):
        yield "cases that never differ: too few runs; `harness run` two targets on these suites"
    if not any(one.repeated for one in sections):
        yield "cases that flip: no model was asked twice; `harness gate --aa` asks the baseline so"


def _deciding(found: Sequence[Deciding], comparisons: int) -> Iterator[str]:
    if not comparisons:
        yield "groups that decide: no gate on these suites; `harness gate CANDIDATE` keeps one"
    elif not found:
        yield f"groups that decide: no rule hangs on one group in {counted(comparisons, 'gate')}"
    named: dict[str, list[str]] = {}
    for one in found:
        rule = f"{one.candidate}: {one.metric} {one.require} is {one.outcome}"
        named.setdefault(f"{rule}, and {one.without} without", []).append(one.group)
    for words, groups in named.items():
        yield f"{words} {_first(groups)}"


def _power(found: Sequence[Gained]) -> list[str]:
    head = ("metric", "rule", "groups", "detectable", f"with {MORE} more")
    rows = [
        (one.metric, one.require, str(one.groups), f"{one.detectable:.3f}", f"{one.with_more:.3f}")
        for one in found
    ]
    return table([head, *rows], left=2) if rows else []


def _first(names: Sequence[str]) -> str:
    left = len(names) - _LISTED
    shown = ", ".join(one_line(name, 60) for name in names[:_LISTED])
    return f"{shown} and {left} more" if left > 0 else shown
