"""`harness doctor`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import click

from harness.cli.options import config_option, json_option
from harness.config import CONFIG_NAME, Project, load_project
from harness.doctor.machine import examine_machine
from harness.doctor.step import Examination
from harness.doctor.target import examine
from harness.visible_text import one_line

_LONGEST = 400


@click.command("doctor")
@click.argument("targets", nargs=-1, metavar="[TARGET]...")
@click.option(
    "--start", is_flag=True, help="Start the vLLM of a managed target, and ask that as well."
)
@config_option
@json_option
def command(targets: tuple[str, ...], start: bool, config: Path, as_json: bool) -> None:
    """Try each TARGET step by step, and say what works, what does not, and what to do about it.

    That is: address, proxy, TLS, key, list of models, one answer, token counts, log-probabilities,
    seed, limits, adapter, context and system role, by seven short questions. Without a
    TARGET it looks at this machine: Python, GPU, vLLM, disk, and the memory that each managed
    server needs.

    `ok` works, `cannot` is something that the harness does without, `failed` is to be mended. The
    exit code is 0 where nothing failed, 3 where a target or the machine cannot be used, 2 where
    the configuration is to be corrected.
    """
    if start and not targets:
        raise click.UsageError("--start goes with a TARGET")
    project = _project(config, needed=bool(targets))
    found: list[Examination] = []
    for target in dict.fromkeys(targets):
        assert project is not None
        more = examine(project, target, start=start, say=lambda text: click.echo(text, err=True))
        found += _shown(more, as_json)
    if not targets:
        found += _shown([examine_machine(project)], as_json)
    if as_json:
        click.echo(json.dumps([one.as_json() for one in found], indent=2))
    code = max((one.exit_code for one in found), default=0)
    # What is to be corrected here comes before what is to be mended elsewhere.
    raise click.exceptions.Exit(2 if any(one.misconfigured for one in found) else code)


def _project(config: Path, *, needed: bool) -> Project | None:
    """The project; None for a machine that has none in this folder."""
    if not needed and config == Path(CONFIG_NAME) and not config.exists():
        return None
    return load_project(config)


def _shown(found: list[Examination], as_json: bool) -> list[Examination]:
    for one in found:
        for line in () if as_json else _lines(one):
            click.echo(line)
    return found


def _lines(found: Examination) -> Iterator[str]:
    yield f"{found.subject}: {one_line(found.about)}"
    width = max(len(step.name) for step in found.steps)
    for step in found.steps:
        said = one_line(step.found, _LONGEST)
        yield f"  {step.name.ljust(width)}  {step.outcome:<6}  {said}"
        if step.remedy:
            yield f"  {'':{width}}          -> {one_line(step.remedy, _LONGEST)}"
    if found.not_tried:
        yield f"  not tried: {', '.join(found.not_tried)}"
    yield f"  {'can be used' if found.usable else 'cannot be used as it is'}"
