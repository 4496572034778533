"""`harness chain`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from harness.chain.examine import ChainSettings, check_names, examine
from harness.chain.hop import MARGIN, Hop, MetricResult, ProbeResult
from harness.chain.metrics import MARGIN as METRIC_MARGIN
from harness.cli.console import Console, table
from harness.cli.options import config_option, json_option, no_cache_option, part_options
from harness.config import load_project
from harness.run.plan import Selection
from harness.run.resume import Reuse
from harness.sections.section_kinds import load_suites
from harness.visible_text import one_line

_CODES = {"same": 0, "different": 1, "cannot tell": 4}
_LONGEST = 300


@click.command("chain")
@click.argument("targets", nargs=-1, required=True, metavar="TARGET TARGET...")
@click.option(
    "--nats",
    type=click.FloatRange(0.001, MARGIN),
    default=MARGIN,
    show_default=True,
    help="How far log-probabilities may be apart where the precision is another.",
)
@click.option(
    "--margin",
    type=click.FloatRange(0.0, 1.0),
    default=METRIC_MARGIN,
    show_default=True,
    help="By how much a metric may be worse at a hop, as a share of its range.",
)
@click.option("--probes-only", is_flag=True, help="Leave the suites' metrics out.")
@config_option
@part_options
@no_cache_option
@json_option
def command(
    targets: tuple[str, ...],
    nats: float,
    margin: float,
    probes_only: bool,
    config: Path,
    selection: Selection,
    no_cache: bool,
    as_json: bool,
) -> None:
    """Say at each hop of a chain of TARGETs whether it is still the same model, and if not, why.

    The targets are the forms of one model on its way to users, in their order: adapter, merged,
    quantised, on another server. Each is asked the same probes and short conversations; neighbours
    are compared by tokens, log-probabilities, prompt tokens, chat template and stop tokens, and by
    the suites' metrics, case by case.

    The exit code is 0 where every hop is the same model within the margins, 1 where one is not, 4
    where one cannot be told.
    """
    project = load_project(config)
    check_names(project, targets)
    suites = load_suites(project, selection.suites)
    alpha = project.config.gate.alpha if project.config.gate is not None else 0.05
    reuse: Reuse = "begun" if no_cache else "stored"
    settings = ChainSettings(nats, margin, alpha, not probes_only, selection, reuse)
    with Console() as console:
        hops = examine(project, targets, suites, settings, console)
    if as_json:
        click.echo(json.dumps([hop.as_json() for hop in hops], indent=2))
    else:
        for line in _lines(hops):
            click.echo(line)
    raise click.exceptions.Exit(_code(hops))


def _code(hops: Sequence[Hop]) -> int:
    found = {hop.outcome for hop in hops}
    worst = "different" if "different" in found else "cannot tell" if "cannot tell" in found else ""
    return _CODES[worst or "same"]


def _lines(hops: Sequence[Hop]) -> Iterator[str]:
    rows = [("hop", "same model?", "probes", "nats", "metrics", "likeliest cause")]
    rows += [
        (
            f"{hop.before} → {hop.after}",
            hop.outcome,
            _probes(hop.probes),
            _nats(hop.probes),
            _metrics(hop.metrics),
            hop.cause or "",
        )
        for hop in hops
    ]
    yield from table(rows, left=len(rows[0]))
    for hop in hops:
        details = list(_details(hop))
        if details:
            yield ""
            yield f"{hop.before} → {hop.after}"
            yield from (f"  {one_line(detail, _LONGEST)}" for detail in details)
    yield ""
    yield _conclusion(hops)


def _probes(found: ProbeResult) -> str:
    words = "by other texts" if found.allowed is None else "beyond"
    return f"{found.beyond} of {found.probes} {words}"


def _nats(found: ProbeResult) -> str:
    if found.median is None:
        return "–"
    return f"{found.median:.2g}, most {found.largest:.2g} ({found.allowed:.2g} allowed)"


def _metrics(found: Sequence[MetricResult]) -> str:
    if not found:
        return "–"
    counted = {name: sum(one.outcome == name for one in found) for name in _CODES}
    words = {"same": "no worse", "different": "worse", "cannot tell": "cannot tell"}
    return ", ".join(f"{count} {words[name]}" for name, count in counted.items() if count)


def _details(hop: Hop) -> Iterator[str]:
    yield from (f"{one.cause}: {one.evidence}" for one in hop.findings)
    for one in hop.metrics:
        if one.outcome == "same" or one.outcome != hop.outcome:
            continue
        if one.estimate is None:
            yield f"{one.metric}: {one.outcome}: {one.reason}"
            continue
        yield (
            f"{one.metric}: {one.outcome}, {one.before:.3f} → {one.after:.3f}, difference "
            f"{one.estimate:+.3f} [{one.low:+.3f}, {one.high:+.3f}], margin {one.margin:g}"
        )
    yield from (f"note: {note}" for note in hop.notes)


def _conclusion(hops: Sequence[Hop]) -> str:
    broken = next((hop for hop in hops if hop.outcome == "different"), None)
    if broken is not None:
        return (
            f"the chain breaks at {broken.before} → {broken.after}: likeliest cause {broken.cause}"
        )
    unsure = next((hop for hop in hops if hop.outcome == "cannot tell"), None)
    if unsure is not None:
        return f"cannot tell at {unsure.before} → {unsure.after}: more cases would tell"
    return f"the same model at all {len(hops)} hops"
