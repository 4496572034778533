"""`harness split`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import click

from harness.cli.options import encoding_option, json_option
from harness.config import FOLDER_NAME
from harness.data.split.settings import RECORD, SplitSettings, read_split
from harness.data.split.split import Split, part_files, split_files
from harness.errors import UsageError
from harness.files import short_path
from harness.records.suite import counted
from harness.visible_text import one_line

SHOWN = 5
PARTS = {"train": 0.8, "validation": 0.1, "test": 0.1}
LEAKED = 1


@click.command("split")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    required=True,
    help=f"Where the parts go, and {RECORD}, which keeps the part of each row.",
)
@click.option(
    "--part",
    "parts",
    multiple=True,
    metavar="NAME=SHARE",
    help="A part and its share of the rows; repeatable. Without it: train=0.8, validation=0.1, "
    "test=0.1.",
)
@click.option("--source", metavar="COLUMN", help="Rows of one source stay together too.")
@click.option("--time", metavar="COLUMN", help="The oldest rows go to the first part.")
@click.option(
    "--stratify", metavar="COLUMN", help="Each part has its share of every value of this column."
)
@click.option("--salt", metavar="TEXT", help="Another text draws another split.")
@encoding_option
@click.option("--force", is_flag=True, help="Write parts again; rows keep the parts they have.")
@json_option
def command(
    files: tuple[Path, ...],
    output: Path,
    parts: tuple[str, ...],
    source: str | None,
    time: str | None,
    stratify: str | None,
    salt: str | None,
    encoding: str,
    force: bool,
    as_json: bool,
) -> None:
    """Divide training data into parts, so that none holds what another one asks.

    Rows of one `group`, equal questions and near duplicates are never divided. The part of a row is
    drawn by a hash, and kept: where rows are added, those that were there stay where they are.

    The exit code is 0, or 1 where a part still holds what an earlier one asks.
    """
    known = {"source": source, "time": time, "stratify": stratify, "salt": salt}
    given: dict[str, Any] = {name: value for name, value in known.items() if value is not None}
    before = read_split(output)
    settings = SplitSettings(PARTS) if before is None else before.settings
    if parts:
        settings = replace(settings, parts=_shares(parts))
    settings = replace(settings, **given)
    if settings.time and settings.stratify:
        raise UsageError("`--time` and `--stratify` exclude each other", hint="give one of them")
    for path in part_files(output, settings).values():
        if path.exists() and not force:
            raise UsageError(
                "is there already",
                where=str(path),
                hint="`--force` writes the parts again, and rows keep theirs; or name another",
            )
    done = split_files(files, output, settings, encoding=encoding)
    if as_json:
        click.echo(json.dumps(_data(done), indent=2, ensure_ascii=False))
    else:
        for line in _lines(done, output):
            click.echo(one_line(line, 300))
    if done.leaks:
        raise click.exceptions.Exit(LEAKED)


def _shares(given: tuple[str, ...]) -> dict[str, float]:
    parts: dict[str, float] = {}
    for one in given:
        name, _, share = one.partition("=")
        try:
            parts[name] = float(share)
        except ValueError:
            parts[name] = 0.0
        if not FOLDER_NAME.fullmatch(name) or not 0 < parts[name] < 1:
            raise UsageError(f"`{one}` is no part", where="--part", hint="such as train=0.8")
    if len(parts) < len(given) or abs(sum(parts.values()) - 1) > 1e-6:
        raise UsageError(
            f"the shares add up to {sum(parts.values()):.4g}"
            if len(parts) == len(given)
            else "a part is named twice",
            where="--part",
            hint="name each part once, with shares that add up to 1",
        )
    return parts


def _lines(done: Split, output: Path) -> Iterator[str]:
    for part, share in done.record.parts.items():
        path = part_files(output, done.record.settings)[part]
        file = done.record.files[path.name]
        of_all = f"{file.rows / done.total:.1%}, asked for {share:.1%}"
        yield f"{part}: {counted(file.rows, 'row')} ({of_all}) in {short_path(path.absolute())}"
        if not file.rows:
            yield f"warning: {part} has no row: there are too few groups for its share"
    smallest = min(done.record.parts.values())
    yield f"{counted(done.sets, 'set')} of rows that stay together, the largest of {done.largest}"
    if done.largest > smallest * done.total:
        yield (
            f"warning: the largest set has {done.largest / done.total:.0%} of the rows, so that "
            "shares may be missed: a group or source may be too wide, or questions from a template"
        )
    if done.kept:
        new = done.total - done.kept
        yield f"{counted(done.kept, 'row')} kept the part they had, {new} are new"
    for place, parts in done.bridges[:SHOWN]:
        yield f"warning: {place}: belongs with rows of {' and '.join(parts)}: leave it out"
    if len(done.bridges) > SHOWN:
        yield f"warning: {len(done.bridges) - SHOWN} more rows belong with rows of several parts"
    if done.compared < done.total:
        yield (
            f"warning: near duplicates and leaks were looked for among the first {done.compared} "
            "rows only; equal questions and groups are together in all"
        )
    for one in done.leaks[:SHOWN]:
        yield (
            f"leak: {one.place} ({one.part}) asks what stands in {one.other} ({one.other_part}): "
            f"{one.kind}"
        )
    yield f"leakage between the parts: {counted(len(done.leaks), 'row')}"


def _data(done: Split) -> dict[str, Any]:
    return {
        **done.record.model_dump(mode="json", exclude={"rows"}),
        "rows": done.total,
        "kept": done.kept,
        "sets": done.sets,
        "largest": done.largest,
        "compared": done.compared,
        "bridges": [{"place": place, "parts": parts} for place, parts in done.bridges],
        "leaks": [asdict(one) for one in done.leaks],
    }
