"""`harness gate`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import click

from harness.ci.job import CiJob
from harness.cli.console import Console, table, unbroken
from harness.cli.options import (
    EngineOptions,
    baseline_option,
    ci_options,
    config_option,
    engine_options,
    json_option,
    no_cache_option,
    read_ci_options,
    selection_options,
)
from harness.config import Project, load_project
from harness.errors import EvidenceError
from harness.files import short_path
from harness.gate.noise import false_alarms
from harness.records.noise import Noise, RuleNoise
from harness.records.rule import kind_of
from harness.report import formats
from harness.report.card import critical_words
from harness.report.content import ReportContent
from harness.report.json import render_json
from harness.report.latency_summary import deployments_words
from harness.report.leakage_text import without_of
from harness.report.losses import REMEDY, losses
from harness.report.rules import shortfall
from harness.run.plan import Selection
from harness.session.gate import GateRequest, open_gate
from harness.session.measurements import measure_baseline, noise_path
from harness.visible_text import one_line


@click.command("gate")
@click.argument("candidate", required=False)
@click.option(
    "--aa", is_flag=True, help="Measure the gate's own noise: the baseline against itself."
)
@baseline_option
@click.option("--stored", is_flag=True, help="Judge stored answers; ask no server.")
@config_option
@selection_options
@no_cache_option
@engine_options
@ci_options
@json_option
def command(
    candidate: str | None,
    aa: bool,
    baseline: str | None,
    stored: bool,
    config: Path,
    selection: Selection,
    no_cache: bool,
    engine: EngineOptions,
    as_json: bool,
    **for_ci: Any,
) -> None:
    """Judge CANDIDATE against the baseline by the policy in the configuration.

    Asks what is missing, has pytest run the Python tests of suites that lack scores, compares,
    writes the report, prints the verdict. The exit code says the same: 0 PROMOTE, 1 BLOCK,
    3 INVALID, 4 INCONCLUSIVE. It is 2 where something is to be corrected first, 3 also where a
    server or the disk fails, and 130 after Ctrl-C, with a partial report.

    With --aa there is no CANDIDATE: the baseline is asked everything afresh, twice or as often as
    --repeats says, its askings are judged against each other, and later gates show the noise beside
    their numbers. A measurement that was broken off goes on, with --no-cache it starts again.

    With --output-dir a CI job finds all that it shows, posts and keeps in one folder, also where
    the gate comes to no verdict.
    """
    if (aa or stored) and engine != EngineOptions():
        raise click.UsageError("--engine ray goes neither with --aa nor with --stored")
    if aa:
        _check_alone(candidate, stored, for_ci)
        _measure_noise(load_project(config), baseline, selection, anew=no_cache, as_json=as_json)
        return
    if candidate is None:
        raise click.UsageError("Missing argument 'CANDIDATE'.")
    request = GateRequest(candidate, baseline, selection, stored, no_cache)
    options = read_ci_options(for_ci, config)
    with CiJob(candidate, baseline, config, options, partial(_print_annotations, as_json)) as job:
        project = load_project(config)
        job.baseline = baseline or project.policy().baseline
        try:
            console = Console()
            with (
                open_gate(project, request, console) as session,
                console,
                engine.cluster(console.say) as cluster,
            ):
                outcome = session.run(candidate, cluster)
        except EvidenceError:
            click.echo(f"INVALID  {candidate} against {job.baseline}", err=as_json)
            raise
        job.give(session.context, outcome)
        verdict = outcome.verdict
        with unbroken():
            if as_json:
                click.echo(render_json(verdict), nl=False)
            else:
                report = ReportContent(verdict, outcome.comparison)
                print_verdict(report, session.context.folder(candidate))
    sys.exit(verdict.exit_code)


def _print_annotations(as_json: bool, text: str) -> None:
    # The runner reads both streams, and JSON on standard output stays JSON.
    with unbroken():
        click.echo(text, nl=False, err=as_json)


def _check_alone(candidate: str | None, stored: bool, for_ci: dict[str, Any]) -> None:
    if candidate is not None:
        raise click.UsageError("--aa takes no CANDIDATE: the baseline is held against itself")
    if stored:
        raise click.UsageError("--aa asks everything afresh, so --stored cannot go with it")
    if any(for_ci.values()):
        raise click.UsageError("--aa gives no verdict: there is nothing to hand out to CI")


def print_verdict(report: ReportContent, folder: Path) -> None:
    """Print the verdict with its reason, each rule, what was lost, and where the report is.

    The reason is in words without jargon where there are such; the deciding rule's own words stand
    with the other rules.
    """
    verdict = report.verdict
    click.echo(f"{verdict.verdict}  {verdict.candidate} against {verdict.baseline}")
    if report.deciding is None or report.plain != report.headline:
        click.echo(f"  {report.plain}")
    for problem in verdict.problems[1:]:  # the first is the reason
        click.echo(f"  evidence: {problem}")
    for rule in () if verdict.problems else verdict.rules:
        more = "; no candidate could fail this rule" if report.cannot_fail(rule) else ""
        click.echo(f"  {rule.outcome:<13} {rule.reason}{more}")
        if rule.without_leaked is not None and rule.without_leaked.outcome != rule.outcome:
            click.echo(f"  {'':<13} ({without_of(rule)})")
    _print_lost(report)
    section = verdict.latency
    if section is not None and (
        words := deployments_words(section, verdict.candidate, verdict.baseline)
    ):
        click.echo(f"  {words}")
    if still := verdict.still_critical:
        click.echo(f"  {critical_words(still)}, such as {one_line(still[0])}")
    for rule in verdict.rules:
        if warning := shortfall(rule):
            # A rule that is decided all the same need worry nobody.
            kind = "warning" if rule.outcome == "inconclusive" else "note"
            click.echo(f"  {kind}: {rule.metric}: {warning}")
    for doubt in verdict.warnings:
        example = f" ({one_line(doubt.cases[0])})" if doubt.cases else ""
        click.echo(f"  warning: {one_line(doubt.place)}: {one_line(doubt.what, 300)}{example}")
    for found in verdict.regressions:
        click.echo(
            f"  regression: {one_line(found.metric)} {found.estimate:+.3f} "
            f"[{found.ci_low:+.3f}, {found.ci_high:+.3f}], p {formats.p_value(found.p_value)} "
            f"(Holm, {verdict.metrics_compared} metrics)"
        )
    if verdict.ended is not None:
        click.echo(f"  {verdict.ended.words}")
    click.echo(f"  {verdict.accounting}")
    click.echo(f"  report: {short_path(folder / 'report.html')}")


def _print_lost(report: ReportContent) -> None:
    """Print what each rule on a loss lost, with an example, and what helps."""
    found = () if report.verdict.problems else losses(report.verdict, report.comparison)
    for loss in found:
        tags = f"; most by tag: {loss.tags}" if loss.tags else ""
        click.echo(f"  lost: {loss.name} {loss.amount}: {loss.cases}{tags}")
        for one in loss.examples[:1]:
            said = f'"{one.question}" → "{one.candidate}"; the baseline: "{one.baseline}"'
            click.echo(f"    {one_line(one.path)}: {said}")
    if found:
        click.echo(f"  what helps: {REMEDY}")


def _measure_noise(
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
        f"{formats.counted(noise.repeats, 'attempt')} a case, "
        f"{formats.counted(noise.pairs, 'pair')}, each taken both ways"
    )
    for lines in (_noise_of_rules(noise), _noise_of_metrics(noise), _noise_of_sections(noise)):
        for line in lines:
            click.echo(f"  {line}")
    click.echo(f"  verdicts: {_counts(noise.verdicts)}; {_percent(noise.flip_rate)} flip")
    click.echo(f"  false alarms: {', '.join(_false_alarms(noise)) or 'none'}")
    click.echo(f"  {short_path(path)}")


def _noise_of_rules(noise: Noise) -> list[str]:
    rows = [(_rule(rule), _counts(rule.outcomes), _percent(rule.flip_rate)) for rule in noise.rules]
    return table([("rule", "outcomes", "flips"), *rows], left=2)


def _noise_of_metrics(noise: Noise) -> list[str]:
    rows = [
        (each.metric, f"{each.value:.3f}", f"{each.noise:.4f}", f"{each.largest:.4f}")
        for each in noise.metrics
    ]
    return table([("metric", "value", "noise", "largest"), *rows], left=1)


def _noise_of_sections(noise: Noise) -> list[str]:
    rows = [
        (f"{each.suite}.{each.section}", str(each.cases), *map(_percent, (each.flips, each.texts)))
        for each in noise.sections
    ]
    return table([("section", "cases", "flips", "texts differ"), *rows], left=1)


def _rule(rule: RuleNoise) -> str:
    limit = "" if rule.limit is None else f" ({rule.limit:g})"
    return f"{rule.metric or ''} {rule.require}{limit}".lstrip()


def _false_alarms(noise: Noise) -> Iterator[str]:
    """How often each rule said that something changed, where it ever did."""
    for rule in noise.rules:
        if count := false_alarms(rule):
            yield f"{count} {kind_of(rule).false_alarm} of {_rule(rule)}"


def _counts(found: Mapping[Any, int]) -> str:
    most_first = sorted(found.items(), key=lambda item: -item[1])
    return ", ".join(f"{name} {count}" for name, count in most_first)


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
