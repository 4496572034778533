"""`harness leak`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import click

from harness.cli.console import table
from harness.cli.options import config_option, json_option, suite_option
from harness.config import load_project
from harness.leak.check import check_leaks
from harness.records.leakage import Leakage, TrainingData
from harness.records.suite import counted
from harness.sections.section_kinds import load_suites
from harness.visible_text import one_line

SHOWN = 20
NOT_KNOWN = 4


@click.command("leak")
@click.argument("candidate")
@click.option("--all", "everything", is_flag=True, help="Show every leaked case.")
@config_option
@suite_option
@json_option
def command(
    candidate: str, everything: bool, config: Path, suites: tuple[str, ...], as_json: bool
) -> None:
    """Look for the suites' prompts in the data that CANDIDATE was trained on.

    The data is what the dossier of a training here names, or `data: [FILE, ...]` at the target. No
    server is asked. A domain's facts must be in training, so an answer alone is no leak.

    The exit code is 0 where nothing leaked, 1 where something did, and 4 where that cannot be told:
    no training data is known, or some of it is missing or no longer what it was.
    """
    project = load_project(config)
    found = check_leaks(project, load_suites(project, suites), [candidate])
    if as_json:
        click.echo(found.model_dump_json(indent=2))
    else:
        for line in leak_lines(found, None if everything else SHOWN):
            click.echo(line)
    told = all(data.complete for data in found.training)
    raise click.exceptions.Exit(1 if found.leaked else 0 if told else NOT_KNOWN)


def leak_lines(found: Leakage, most: int | None) -> Iterator[str]:
    """What was compared and what was found, at most that many cases of it."""
    for data in found.training:
        yield known_words(data)
        for problem in data.problems:
            yield f"  warning: {one_line(problem, 300)}"
    if not any(data.known for data in found.training):
        return
    for place in found.not_compared:
        yield f"  {place}: not compared, its prompts are not known before it is run"
    yield (
        f"  {len(found.paths)} of {counted(found.compared, 'case')} leaked, in "
        f"{counted(found.groups, 'group')}"
    )
    rows = [
        (one.kind, one_line(one.case), one_line(one.place), "and its answer" * one.answered)
        for one in found.leaked[:most]
    ]
    if rows:
        for kind, count in Counter(one.kind for one in found.leaked).most_common():
            yield f"  {kind}: {count}"
        yield from table([("kind", "case", "stands at", ""), *rows], left=4)
    if most is not None and len(found.leaked) > most:
        yield f"  and {len(found.leaked) - most} more: --all shows them"
    yield (
        f"  for information: of {counted(found.answers, 'case')} an accepted answer stands in "
        "training, as a domain's facts must"
    )


def known_words(data: TrainingData) -> str:
    """Which training data was read, in words."""
    if not data.known:
        return (
            f"{one_line(data.target)}: its training data is not known: name it under `data` at the "
            "target"
        )
    files = counted(len(data.files), "file")
    return f"{one_line(data.target)}: {counted(data.conversations, 'training example')} in {files}"
