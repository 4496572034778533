"""`harness import` and `harness export`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import cast, get_args

import click

from harness.cli.options import encoding_option, form_option, map_option
from harness.data.columns import form_of
from harness.data.convert import Conversion, Kind, convert, rejects_of
from harness.data.form import WritableForm, named
from harness.errors import UsageError
from harness.files import short_path
from harness.records.suite import counted
from harness.visible_text import visible

_FILES = click.argument(
    "files", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False)
)
_OUTPUT = click.option(
    "--output", "-o",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Where to write it, as JSON Lines.",
)  # fmt: skip
_DRY = click.option(
    "--dry-run", is_flag=True, help="Write nothing; show the first five and what would be lost."
)
_FORCE = click.option("--force", is_flag=True, help="Replace a file that is there.")


@click.command("import")
@_FILES
@click.option(
    "--to",
    type=click.Choice(get_args(Kind)),
    required=True,
    help="Cases of a suite, training conversations, or pairs for `method: dpo`.",
)
@_OUTPUT
@form_option
@map_option
@encoding_option
@_DRY
@_FORCE
def import_command(
    files: tuple[Path, ...],
    to: str,
    output: Path | None,
    form: str | None,
    columns: tuple[str, ...],
    encoding: str,
    dry_run: bool,
    force: bool,
) -> None:
    """Read other tools' data into cases or training data.

    The form of a file is found by its fields. Rows that cannot be taken are put into
    FILE.rejected.jsonl, with place and reason.
    """
    _check(output, dry_run=dry_run, force=force)
    known = form_of(form, columns)
    target = None if dry_run else output
    done = convert(files, cast("Kind", to), target, form=known, encoding=encoding)
    for line in _lines(done, target):
        click.echo(line)


@click.command("export")
@_FILES
@click.option("--form", metavar="FORM", required=True, help="The form to write.")
@_OUTPUT
@_DRY
@_FORCE
def export_command(
    files: tuple[Path, ...], form: str, output: Path | None, dry_run: bool, force: bool
) -> None:
    """Write training data or a suite's cases in another tool's form.

    Rows that the form cannot hold are put into FILE.rejected.jsonl, with place and reason.
    """
    _check(output, dry_run=dry_run, force=force)
    written = named(form)
    if not isinstance(written, WritableForm):
        raise UsageError(f"the form `{form}` can only be read", where="--form")
    target = None if dry_run else output
    for line in _lines(convert(files, written, target), target):
        click.echo(line)


def _check(output: Path | None, *, dry_run: bool, force: bool) -> None:
    if dry_run:
        return
    if output is None:
        raise UsageError("give `--output FILE`, or `--dry-run` to look first")
    if output.exists() and not force:
        raise UsageError(
            "is there already", where=str(output), hint="`--force` replaces it, or name another"
        )


def _lines(done: Conversion, output: Path | None) -> Iterator[str]:
    """What was done, in lines for a terminal."""
    for path, form in done.forms.items():
        yield f"{path}: {form}"
    if output is None:
        yield from (visible(json.dumps(row, ensure_ascii=False)) for row in done.first)
    for field, count in done.lost.most_common():
        yield visible(f"lost: `{field}` of {counted(count, 'row')}")
    if done.reformatted:
        more = len(done.reformatted) - 1
        yield visible(
            f"warning: {done.reformatted[0]}: the answer has the form that spreadsheets change "
            "dates and long numbers into: compare it with the original"
            + (f"; so have {counted(more, 'other row')}" if more else "")
        )
    for one in done.first_rejected:
        yield visible(f"rejected: {one.place}: {one.why}")
    if done.rejected > len(done.first_rejected):
        yield f"rejected: {done.rejected - len(done.first_rejected)} more"
    verb = "would be written" if output is None else "written"
    skipped = f", {done.skipped} without a question and answer" if done.skipped else ""
    to = "" if output is None else f" to {short_path(output.absolute())}"
    yield f"{done.written} of {counted(done.rows, 'row')} {verb}{to}{skipped}"
    if output is not None and done.rejected:
        yield f"{done.rejected} rejected: {short_path(rejects_of(output).absolute())}"
