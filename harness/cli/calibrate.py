"""`harness calibrate`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import click

from harness.cli.console import table
from harness.cli.options import baseline_option, config_option, json_option
from harness.config import load_project
from harness.errors import EvidenceError, UsageError
from harness.gate.audit import audited
from harness.gate.calibration import Calibration, calibrate
from harness.records.comparison import ComparisonRecord, PairedMetric
from harness.records.label import CORRECT
from harness.records.suite import counted
from harness.run.plan import Selection
from harness.run.rescore import rescore
from harness.session.context import open_context
from harness.stats import Interval
from harness.validation import nearest
from harness.visible_text import one_line


@click.command("calibrate")
@click.argument("section", metavar="SUITE.SECTION[.METRIC]")
@click.argument("candidate")
@click.option(
    "--criterion",
    default=CORRECT,
    show_default=True,
    metavar="NAME",
    help="The criterion of the labels.",
)
@baseline_option
@config_option
@json_option
def command(
    section: str,
    candidate: str,
    criterion: str,
    baseline: str | None,
    config: Path,
    as_json: bool,
) -> None:
    """Hold a section's scorer against people's labels of CANDIDATE's and the baseline's answers.

    A score and a label of at least one half say that an answer is right. Sensitivity is the share
    of right answers that the scorer takes for right, specificity that of wrong answers it takes
    for wrong. The differential error is what the scorer would say of two models that people find
    equal. Works on stored answers, with any scorer.
    """
    context = open_context(load_project(config), [candidate], baseline, ())
    targets = (*context.live_baseline, candidate)
    runs = rescore(context.project, targets, context.suites, Selection())
    comparison = context.compare(candidate, runs)
    metric = _metric(comparison, section)
    alpha = context.policy.alpha
    try:
        people = audited(comparison, metric, criterion)
    except ValueError as error:
        raise UsageError(f"{metric.name} cannot be calibrated: {error}") from None
    if not people.labelled:
        left = comparison.labels_left_out
        lost = "".join(f"; {count} {why}" for why, count in left.items())
        raise EvidenceError(
            f"no label by `{criterion}` holds for answers of {section}{lost}",
            hint="`harness review` lets people label them, `labels:` names the files",
        )
    found = calibrate(metric.name, people, (candidate, context.policy.baseline), criterion, alpha)
    if as_json:
        click.echo(json.dumps({**asdict(found), "favours": found.favours}, indent=2))
        return
    for line in _lines(found, alpha):
        click.echo(line)


def _metric(comparison: ComparisonRecord, wanted: str) -> PairedMetric:
    """The metric that is named, or the first of the section that is a mean over cases."""
    own = [
        metric
        for name, metric in comparison.metrics.items()
        if name == wanted or name.rpartition(".")[0] == wanted
    ]
    if not own:
        names = {name.rpartition(".")[0] for name in comparison.metrics}
        raise UsageError(f"no section or metric `{wanted}`{nearest(wanted, names)}")
    return next((metric for metric in own if metric.is_mean), own[0])


def _lines(found: Calibration, alpha: float) -> Iterator[str]:
    groups, raters = counted(found.groups, "labelled group"), counted(found.raters, "rater")
    yield (
        f"{found.metric} beside people's `{found.criterion}`: {groups}, {raters}; bounds at alpha "
        f"{alpha:g} each"
    )
    head = ("", *(one_line(side.target, 60) for side in found.sides))
    rows = [
        ("answers", *(str(side.answers) for side in found.sides)),
        *(
            (words, *(str(side.confusion[at]) for side in found.sides))
            for at, words in enumerate(_CELLS)
        ),
        ("without a score", *(str(side.unscored) for side in found.sides)),
        ("agreement", *(_interval(side.agreement) for side in found.sides)),
        ("sensitivity", *(_interval(side.sensitivity) for side in found.sides)),
        ("specificity", *(_interval(side.specificity) for side in found.sides)),
    ]
    yield from table([head, *rows], left=1)
    yield f"differential error: {_interval(found.differential, '+')}"
    if found.favours:
        yield (
            f"the scorer favours {one_line(found.favours, 60)}: of two models that people find "
            "equal it would call that one better"
        )


_CELLS = ("right by both", "right by people alone", "right by the scorer alone", "wrong by both")


def _interval(found: Interval | None, sign: str = "") -> str:
    if found is None:
        return "–"
    return f"{found.estimate:{sign}.3f} [{found.low:{sign}.3f}, {found.high:{sign}.3f}]"
