"""`harness init`."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from pathlib import Path

import click
from click.core import ParameterSource
from pydantic import ValidationError

from harness.cli.new_model import OPTION, read_base
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
_OF_A_SERVER = ("url", "base", "candidate")

Values = Mapping[str, str | int | float | bool]


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
@click.pass_context
def command(
    context: click.Context, folder: Path, model: str | None, url: str, base: str, candidate: str
) -> None:
    """Make FOLDER a harness project, with a small suite and a configuration.

    With --model the project trains a first candidate from that base, and serves both itself; its
    recipe, data and suite are examples to replace. Without it the project tests two models on a
    server that runs already.

    No file that exists is touched. The JSON schemas that its files name, for editors, go into
    .harness/schema/; `harness schema --write` makes them again.
    """
    place = "" if folder == Path() else f"cd {shlex.quote(str(folder))} && "
    if model is None:
        _check_url(url)
        values = {"@URL@": url, "@BASE@": base, "@CANDIDATE@": candidate}
        _write(folder, "new_project", values)
        click.echo(f"next: {place}harness validate && harness gate candidate")
        return
    for option in _OF_A_SERVER:
        if context.get_parameter_source(option) is not ParameterSource.DEFAULT:
            hint = "give one of them: a project serves its own models, or asks a server"
            raise UsageError(f"{OPTION} and --{option} exclude each other", hint=hint)
    found = read_base(model, folder)
    _write(folder, "new_model_project", found.values())
    click.echo(found.describe())
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


def _write(folder: Path, name: str, values: Values) -> None:
    """Write the files of the new project called `name`, its marks filled in with the values.

    Raises:
        UsageError: one of them exists.
    """
    template = Path(__file__).parent / name
    files = {
        Path(str(path.relative_to(template)).removesuffix(TEMPLATE)): path.read_text("utf-8")
        for path in sorted(template.rglob("*"))
        if path.is_file()
    }
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
