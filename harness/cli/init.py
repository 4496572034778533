"""`harness init`."""

from __future__ import annotations

import json
import math
import re
import shlex
from collections.abc import Mapping
from pathlib import Path

import click
from click.core import ParameterSource
from pydantic import ValidationError

from harness.cli.new_domain import OPTION as DOMAIN
from harness.cli.new_domain import domain_names, read_domain, suite_of
from harness.cli.new_model import BATCH, OPTION, STEPS, read_base
from harness.cli.schema import write_schemas
from harness.errors import UsageError
from harness.files import write_atomic
from harness.records.base import explain
from harness.records.server import RemoteServer
from harness.records.server_url import is_local

GITIGNORE = Path(".gitignore")
TEMPLATE = ".template"  # behind the name of a file that must not be taken for a module of ours
# A configuration takes a lone word for a host; here it is more often a slip.
_WORD = re.compile(r"[^.:/]+")
_DATA = Path("recipes/data")
_SEEN = 4  # how often a recipe shows each example
_OF_A_SERVER = ("url", "base", "candidate")

Values = Mapping[str, str | int | float | bool | list[str]]


@click.command("init")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=Path())
@click.option(
    OPTION,
    metavar="FOLDER_OR_NAME",
    help="A base model to tune and serve here: its folder, or ORG/NAME[@REVISION] on a hub.",
)
@click.option(
    "--url",
    default="http://127.0.0.1:8000/v1",
    show_default=True,
    help="An OpenAI-compatible server.",
)
@click.option("--base", default="base", show_default=True, help="The baseline's model name there.")
@click.option(
    "--candidate", default="candidate", show_default=True, help="The candidate's model name there."
)
@click.option(
    DOMAIN,
    metavar="NAME",
    help="Start from the suite of a domain, with what a bot of that domain must not get wrong.",
)
@click.option("--list", "listed", is_flag=True, help="Show the domains, and make nothing.")
@click.pass_context
def command(
    context: click.Context,
    folder: Path,
    model: str | None,
    url: str,
    base: str,
    candidate: str,
    domain: str | None,
    listed: bool,
) -> None:
    """Make FOLDER a harness project, with a small suite and a configuration.

    With --model the project trains a first candidate from that base, and serves both itself; its
    recipe, data and suite are examples to replace. Without it the project tests two models on a
    server that runs already. With --domain the suite, the policy and the data are those of a
    domain, of an invented company: a larger example to replace.

    No file that exists is touched. The JSON schemas that its files name, for editors, go into
    .harness/schema/; `harness schema --write` makes them again.
    """
    if listed:
        for name in domain_names():
            click.echo(read_domain(name).describe())
        return
    place = "" if folder == Path() else f"cd {shlex.quote(str(folder))} && "
    if model is None:
        _check_url(url)
        files = _files("new_project", domain)
        _write(folder, files, {"@URL@": url, "@BASE@": base, "@CANDIDATE@": candidate})
        click.echo(f"next: {place}harness validate && harness gate candidate")
        return
    for option in _OF_A_SERVER:
        if context.get_parameter_source(option) is not ParameterSource.DEFAULT:
            hint = "give one of them: a project serves its own models, or asks a server"
            raise UsageError(f"{OPTION} and --{option} exclude each other", hint=hint)
    files = _files("new_model_project", domain)
    found = read_base(model, folder)
    recipe, steps = _recipe(files)
    _write(folder, files, {**found.values(), **recipe})
    click.echo(found.describe(steps))
    lock = "" if found.parameters is not None else "harness lock && "
    train = "harness train recipes/first.yaml && harness gate first"
    click.echo(f"next: {place}{lock}harness validate && {train}")


def _check_url(url: str) -> None:
    try:
        RemoteServer(url=url)
    except ValidationError as error:
        raise UsageError(f"--{explain(error)}") from None
    if _WORD.fullmatch(url.strip()) and not is_local(url.strip()):
        raise UsageError(
            "--url: is a word and no address",
            hint="if a host is called so, write it with http:// or https:// before it",
        )


def _files(name: str, domain: str | None) -> dict[Path, str]:
    """The files of the new project called `name` by their paths in it, with the domain's in them.

    Raises:
        UsageError: there is no such domain.
    """
    template = Path(__file__).parent / name
    files = {
        Path(str(path.relative_to(template)).removesuffix(TEMPLATE)): path.read_text("utf-8")
        for path in sorted(template.rglob("*"))
        if path.is_file()
    }
    return files if domain is None else read_domain(domain).fill(files)


def _recipe(files: Mapping[Path, str]) -> tuple[Values, int]:
    """What the recipe is filled in with, by the marks in it, and its steps: both by its data."""
    data = sorted(path for path in files if path.is_relative_to(_DATA))
    examples = sum(files[path].count("\n") for path in data)
    steps = max(STEPS, math.ceil(examples * _SEEN / BATCH))
    prompt = suite_of(files)[1]
    names = [path.as_posix() for path in data]
    return {"@SYSTEM_PROMPT@": prompt, "@DATA@": names, "@STEPS@": steps}, steps


def _write(folder: Path, files: dict[Path, str], values: Values) -> None:
    """Write the files into the folder, their marks filled in with the values.

    Raises:
        UsageError: one of them exists.
    """
    values = {"@SUITE@": suite_of(files)[0], **values}
    # A package's build may leave a `.gitignore` out, so the template has no dot.
    ignored = files.pop(Path("gitignore"))
    taken = next((path for path in files if (folder / path).exists()), None)
    if taken is not None:
        raise UsageError("exists already", where=str(folder / taken), hint="choose an empty folder")
    for path, text in files.items():
        for mark, value in values.items():
            # JSON strings are YAML strings, whatever characters the value holds.
            text = text.replace(mark, json.dumps(value))
        write_atomic(folder / path, text, access="public")
        click.echo(folder / path)
    if (folder / GITIGNORE).exists():
        click.echo(f"{folder / GITIGNORE}: kept; it should hold {' and '.join(ignored.split())}")
    else:
        write_atomic(folder / GITIGNORE, ignored, access="public")
        click.echo(folder / GITIGNORE)
    for path in write_schemas(folder):
        click.echo(path)
