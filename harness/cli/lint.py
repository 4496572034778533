"""`harness lint`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import click

from harness.cli.findings import SHOWN, Row, finding_lines
from harness.cli.options import config_option, json_option, suite_option
from harness.config import Project, load_project
from harness.gate.judge import planned_metrics, planned_power
from harness.gate.vacuous import lax_policy
from harness.records.finding import Finding
from harness.records.rule import USUAL_DISCORDANCE
from harness.records.suite import Suite
from harness.sections.section_kinds import load_suites
from harness.suites.lint import lint_suite


@click.command("lint")
@click.option("--all", "everything", is_flag=True, help="Show every finding, not the first ones.")
@click.option("--strict", is_flag=True, help="Exit with 2 where anything is found.")
@config_option
@suite_option
@json_option
def command(
    everything: bool, strict: bool, config: Path, suites: tuple[str, ...], as_json: bool
) -> None:
    """Read the suites as a reviewer would, and say what weakens the evidence they give.

    A section's `lint_ignore: [CODE, ...]` leaves out what its author has seen.
    """
    project = load_project(config)
    rows = list(findings(project, load_suites(project, suites)))
    if as_json:
        click.echo(json.dumps(rows, indent=2))
    for line in () if as_json else finding_lines(rows, None if everything else SHOWN):
        click.echo(line)
    click.echo(f"{len(rows) or 'no'} finding{'' if len(rows) == 1 else 's'}", err=True)
    if strict and rows:
        raise click.exceptions.Exit(2)


def findings(project: Project, suites: Sequence[Suite]) -> Iterator[Row]:
    """The findings about suites and about the rules on them, each with its file and line."""
    for suite in suites:
        found = lint_suite(suite)
        places = _places(suite, found)
        for each in found:
            file, line = places.get(each.cases[:1], (Path(suite.folder), None))
            section = f" {each.section}" if each.section and line is None else ""
            where = f"{shown_path(file)}{section if line is None else f':{line}'}"
            yield {"where": where, "suite": suite.name, **asdict(each)}
    policy = project.config.gate
    if policy is not None:
        planned = planned_metrics(suites, USUAL_DISCORDANCE, weigh=policy.weigh)
        for key, what in lax_policy(policy, planned):
            where = project.place(f"gate.{key}")
            code = "cannot-fail" if key.startswith("rules") else "lax-policy"
            yield {
                "where": where, "suite": "", "section": "", "code": code, "what": what,
                "cases": (), "level": "warning",
            }  # fmt: skip
    for power in () if policy is None else planned_power(suites, policy, USUAL_DISCORDANCE):
        if not power.possible or power.enough is False:
            what = power.reason or (
                f"{power.groups} groups tell a difference of {power.detectable:.3f}, the rule asks "
                f"for {power.room:g}: see `harness power`"
            )
            name = power.metric or power.require
            yield {
                "where": f"{shown_path(Path(project.file))} gate.rules", "suite": "", "section": "",
                "code": "small-section" if power.possible else "impossible-rule",
                "what": f"{name}: {what}", "cases": (), "level": "warning",
            }  # fmt: skip


def _places(
    suite: Suite, found: Sequence[Finding]
) -> dict[tuple[str, ...], tuple[Path, int | None]]:
    """File and line of the first case of each finding."""
    places: dict[tuple[str, ...], tuple[Path, int | None]] = {}
    for section in suite.sections:
        firsts = {each.cases[0] for each in found if each.section == section.name and each.cases}
        known = section.locate(Path(suite.folder), firsts) if firsts else {}
        places |= {(case,): place for case, place in known.items()}
    return places


def shown_path(path: Path) -> str:
    """The path from the current folder, where it lies in it."""
    path = path.resolve()
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
