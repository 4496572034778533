"""`harness data`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from harness.cli.findings import SHOWN, finding_lines
from harness.cli.options import config_option, encoding_option, json_option
from harness.config import load_project
from harness.data.lint.check import CheckSettings
from harness.data.lint.linter import LintedData, lint_files
from harness.data.lint.recipes import recipe_files, with_base
from harness.data.lint.redacted import Redacted, copies_of, write_redacted
from harness.errors import UsageError
from harness.files import short_path, write_atomic
from harness.personal_data import KINDS, NameFinder, Redactor
from harness.report.data_content import data_conclusion
from harness.sections.section_kinds import load_suites
from harness.training import load_recipe
from harness.training.candidate import Recipe
from harness.visible_text import one_line

ERRORS = 1


@click.command("data")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--recipe",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Look at this recipe's data, with its base's tokenizer, template and `max_length`.",
)
@click.option("--base", metavar="MODEL", help="The model whose tokenizer and template to use.")
@click.option(
    "--max-length", type=click.IntRange(min=1), help="With --base: the tokens that are read."
)
@click.option(
    "--redact",
    type=click.Path(path_type=Path),
    metavar="OUT",
    help="Write a copy with names such as `<EMAIL_3>` in place of personal data and secrets. "
    "Of several files, OUT is a folder.",
)
@click.option(
    "--html",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="PAGE",
    help="Write the findings as a page too.",
)
@click.option(
    "--accept", multiple=True, metavar="CODE", help="Leave these findings out; repeatable."
)
@click.option("--strict", is_flag=True, help="Exit with 1 where anything is found.")
@click.option("--all", "everything", is_flag=True, help="Show every finding, not the first ones.")
@click.option(
    "--region",
    "regions",
    multiple=True,
    metavar="CODE",
    help="A country whose telephone numbers are recognised, such as DE; repeatable.",
)
@click.option(
    "--names",
    metavar="MODEL",
    help="Look for people's names too, with Presidio and this spaCy model (extra `names`).",
)
@click.option(
    "--suite",
    "suites",
    multiple=True,
    metavar="NAME",
    help="A suite of the project: say which of its topics few conversations teach; repeatable.",
)
@encoding_option
@click.option("--force", is_flag=True, help="Replace a copy or a page that is there.")
@config_option
@json_option
def command(
    files: tuple[Path, ...],
    recipe: Path | None,
    base: str | None,
    max_length: int | None,
    redact: Path | None,
    html: Path | None,
    accept: tuple[str, ...],
    strict: bool,
    everything: bool,
    regions: tuple[str, ...],
    names: str | None,
    suites: tuple[str, ...],
    encoding: str,
    force: bool,
    config: Path,
    as_json: bool,
) -> None:
    """Say what is wrong with training data, with file and line, and what to do about it.

    FILEs may be in any form that trainers read. What was found is never printed where it is
    personal data or a secret.

    The exit code is 0 where there is no error, 1 where there is one, and 2 where a file cannot be
    read.
    """
    given = _recipe(recipe, base, max_length)
    root = load_project(config).root if given is not None and config.exists() else Path.cwd()
    files = files or (() if recipe is None or given is None else recipe_files(given, root))
    if not files:
        raise UsageError("name a file, or `--recipe`")
    _check_outputs(files, redact, html, force=force)
    asked = load_suites(load_project(config), suites) if suites else ()
    people = None if names is None else NameFinder(names)
    settings = CheckSettings(_checked(regions), suites=asked, names=people)
    if given is not None:
        settings = with_base(settings, given, root, files, encoding)
    # What is replaced in the copy is no error of it.
    taken = {*accept, *(() if given is None else given.lint_ignore), *(KINDS if redact else ())}
    done = lint_files(files, settings, accept=taken, encoding=encoding)
    redactor = Redactor(settings.regions, people)
    copy = write_redacted(files, redact, redactor, encoding) if redact else None
    if html is not None:
        _write_page(done, html)
    _say(done, copy, as_json=as_json, most=None if everything else SHOWN)
    if done.errors or (strict and done.findings):
        raise click.exceptions.Exit(ERRORS)


def _recipe(path: Path | None, base: str | None, max_length: int | None) -> Recipe | None:
    """The recipe, or one that only says base and length; None where neither is named."""
    if (base is None) != (max_length is None) or (base and path):
        raise UsageError("give `--recipe`, or `--base` with `--max-length`")
    if path is not None:
        return load_recipe(path)
    if base is None or max_length is None:
        return None
    return Recipe(name="data", base=base, data=("-",), max_length=max_length, steps=1)


def _checked(regions: tuple[str, ...]) -> tuple[str, ...]:
    from phonenumbers import SUPPORTED_REGIONS

    found = tuple(region.upper() for region in regions)
    unknown = next((region for region in found if region not in SUPPORTED_REGIONS), None)
    if unknown is not None:
        raise UsageError(f"no country `{unknown}`", where="--region", hint="such as US, DE, IN")
    return found


def _check_outputs(
    files: tuple[Path, ...], redact: Path | None, html: Path | None, *, force: bool
) -> None:
    written = [*(copies_of(files, redact) if redact else ()), *((html,) if html else ())]
    known = next((path for path in written if path.exists()), None)
    if known is not None and not force:
        raise UsageError(
            "is there already", where=str(known), hint="`--force` replaces it, or name another"
        )


def _write_page(done: LintedData, path: Path) -> None:
    from harness.report.data_content import data_content
    from harness.report.html import render_data_html

    write_atomic(path, render_data_html(data_content(done)))


def _say(done: LintedData, copy: Redacted | None, *, as_json: bool, most: int | None) -> None:
    rows = [{"where": one.cases[0], "suite": "", **asdict(one)} for one in done.findings]
    if as_json:
        click.echo(json.dumps(_data(done, copy, rows), indent=2, ensure_ascii=False))
    else:
        command_all = "harness data --all"
        for line in finding_lines(
            rows, most, everything=command_all, noun="rows", counts=done.counts
        ):
            click.echo(one_line(line))
        for line in (*_facts(done), *_copy_lines(copy)):
            click.echo(one_line(line))
    click.echo(data_conclusion(done), err=True)


def _facts(done: LintedData) -> Iterator[str]:
    yield from (f"{name}: {value}" for name, value in done.facts)
    for code, count in sorted(done.accepted.items()):
        yield f"accepted: {code}: {count}"


def _copy_lines(copy: Redacted | None) -> Iterator[str]:
    if copy is None:
        return
    counts = ", ".join(f"{kind} {count}" for kind, count in sorted(copy.replaced.items()))
    names = ", ".join(str(short_path(path.absolute())) for path in copy.files)
    yield f"replaced in {names}: {counts or 'nothing'}"
    for place in copy.left_out[:SHOWN]:
        yield f"left out of the copy: {place}: cannot be read"
    if len(copy.left_out) > SHOWN:
        yield f"left out of the copy: {len(copy.left_out) - SHOWN} more"


def _data(done: LintedData, copy: Redacted | None, rows: list[dict[str, Any]]) -> dict[str, Any]:
    shown = [
        {key: row[key] for key in ("where", "level", "code", "what")} | {"places": row["cases"]}
        for row in rows
    ]
    data: dict[str, Any] = {
        "schema_version": 1,
        "files": done.files,
        "conversations": done.conversations,
        "errors": done.errors,
        "counts": dict(sorted(done.counts.items())),
        "accepted": dict(sorted(done.accepted.items())),
        "facts": dict(done.facts),
        "findings": shown,
    }
    if copy is not None:
        data["replaced"] = dict(sorted(copy.replaced.items()))
        data["copies"] = [str(path) for path in copy.files]
        data["left_out"] = copy.left_out
    return data
