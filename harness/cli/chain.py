"""`harness chain`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from harness.chain.examine import ChainSettings, check_names, examine
from harness.chain.hop import MARGIN, Hop
from harness.chain.metrics import MARGIN as METRIC_MARGIN
from harness.cli.console import Console, table
from harness.cli.options import config_option, json_option, no_cache_option, part_options
from harness.config import load_project
from harness.files import short_path
from harness.report.chain_text import (
    chain_conclusion,
    hop_details,
    hop_metrics,
    nats_words,
    probe_words,
    worst_outcome,
)
from harness.report.json import render_chain_json
from harness.report.write import write_chain
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
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="Write chain.html and chain.json there too.",
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
    output: Path | None,
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
    # Before anything is printed: an error of it is then all that standard output holds.
    written = () if output is None else write_chain(hops, output)
    if as_json:
        click.echo(render_chain_json(hops), nl=False)
    else:
        for line in _lines(hops):
            click.echo(line)
    for path in written:
        click.echo(short_path(path.absolute()), err=as_json)
    raise click.exceptions.Exit(_CODES[worst_outcome(hops)])


def _lines(hops: Sequence[Hop]) -> Iterator[str]:
    rows = [("hop", "same model?", "probes", "nats", "metrics", "likeliest cause")]
    rows += [
        (
            f"{hop.before} → {hop.after}",
            hop.outcome,
            probe_words(hop.probes),
            nats_words(hop.probes),
            hop_metrics(hop.metrics),
            hop.cause or "",
        )
        for hop in hops
    ]
    yield from table(rows, left=len(rows[0]))
    for hop in hops:
        details = list(hop_details(hop))
        if details:
            yield ""
            yield f"{hop.before} → {hop.after}"
            yield from (f"  {one_line(detail, _LONGEST)}" for detail in details)
    yield ""
    yield chain_conclusion(hops)
