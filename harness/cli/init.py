"""`harness init`."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import click
from pydantic import ValidationError

from harness.cli.schema import write_schemas
from harness.errors import UsageError
from harness.files import write_atomic
from harness.records.base import explain
from harness.records.server import RemoteServer
from harness.records.server_url import is_local

GITIGNORE = Path(".gitignore")
# A configuration takes a lone word for a host; here it is more often a slip.
_WORD = re.compile(r"[^.:/]+")


@click.command("init")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=Path())
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
def command(folder: Path, url: str, base: str, candidate: str) -> None:
    """Make FOLDER a harness project, with a small suite and a configuration.

    No file that exists is touched. The JSON schemas that its files name, for editors, go into
    .harness/schema/; `harness schema --write` makes them again.
    """
    try:
        RemoteServer(url=url)
    except ValidationError as error:
        raise UsageError(f"--{explain(error)}") from None
    if _WORD.fullmatch(url.strip()) and not is_local(url.strip()):
        raise UsageError(
            "--url: is a word and no address",
            hint="if a host is called so, write it with http:// or https:// before it",
        )
    values = {"@URL@": url, "@BASE@": base, "@CANDIDATE@": candidate}
    template = Path(__file__).parent / "new_project"
    files = {
        path.relative_to(template): path.read_text(encoding="utf-8")
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
    place = "" if folder == Path() else f"cd {shlex.quote(str(folder))} && "
    click.echo(f"next: {place}harness validate && harness gate candidate")
