"""`harness augment`."""

from __future__ import annotations

from pathlib import Path

import click

from harness.cli.options import encoding_option, form_option, map_option
from harness.data.augment import augment
from harness.data.columns import form_of
from harness.data.convert import rejects_of
from harness.errors import UsageError
from harness.files import short_path
from harness.records.suite import counted
from harness.visible_text import one_line


@click.command("augment")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    required=True,
    help="Where the conversations and their variants go, as JSON Lines.",
)
@click.option(
    "--by",
    "names",
    multiple=True,
    metavar="FORM",
    help="A form of asking, such as typos or chat; repeatable. All of them without it.",
)
@click.option(
    "--variants",
    "most",
    type=click.IntRange(min=1),
    default=2,
    show_default=True,
    help="At most so many of each conversation.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of the draws.")
@form_option
@map_option
@encoding_option
@click.option("--force", is_flag=True, help="Replace a file that is there.")
def command(
    files: tuple[Path, ...],
    output: Path,
    names: tuple[str, ...],
    most: int,
    seed: int,
    form: str | None,
    columns: tuple[str, ...],
    encoding: str,
    force: bool,
) -> None:
    """Ask the questions of training conversations in other forms too, with the same answer.

    The forms are those of a suite's `perturb:`. Variants are in the group of their source, so that
    no split and no validation takes them for independent, and say by what they were derived.
    """
    if output.exists() and not force:
        raise UsageError(
            "is there already", where=str(output), hint="`--force` replaces it, or name another"
        )
    known = form_of(form, columns)
    done = augment(
        files, output, names, most=most, seed=seed, form=known, encoding=encoding
    )  # fmt: skip
    for name, count in sorted(done.added.items()):
        click.echo(f"{name}: {count}")
    if done.first_rejected is not None:
        first, where = done.first_rejected, short_path(rejects_of(output).absolute())
        click.echo(one_line(f"rejected: {first.place}: {first.why}", 300))
        click.echo(f"{done.rejected} rejected: {where}")
    total = done.added.total()
    click.echo(
        f"{counted(done.conversations, 'conversation')} and {counted(total, 'variant')} in "
        f"{short_path(output.absolute())}"
    )
