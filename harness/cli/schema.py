"""`harness schema`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from harness.config import WORKING, config_schema
from harness.errors import UsageError
from harness.files import write_atomic
from harness.sections.section_kinds import suite_schema
from harness.training.candidate import recipe_schema

FOLDER = Path(WORKING) / "schema"


SCHEMAS: dict[str, Callable[[], dict[str, Any]]] = {
    "config": config_schema,
    "suite": suite_schema,
    "recipe": recipe_schema,
}


@click.command("schema")
@click.argument("kind", type=click.Choice(list(SCHEMAS)), required=False)
@click.option(
    "--write",
    is_flag=True,
    help="Write the schemas into .harness/schema/ of the project in the current folder.",
)
def command(kind: str | None, write: bool) -> None:
    """Print the JSON schema of harness.yaml (config), suite.yaml (suite) or a recipe.

    An editor that knows YAML completes and checks a file that begins with a line like
    `# yaml-language-server: $schema=.harness/schema/config.json`. The schemas hold the scorers,
    kinds of section and kinds of rule that are installed: write them again after a change.
    """
    if write == (kind is not None):
        raise UsageError("give either a kind of file or --write", hint="see --help")
    if kind is not None:
        click.echo(text_of(kind), nl=False)
        return
    for path in write_schemas(Path()):
        click.echo(path)


def write_schemas(folder: Path) -> list[Path]:
    """Where the schemas of all kinds of file are now, below the project's folder.

    Raises:
        StorageError: they cannot be written.
    """
    paths = []
    for kind in SCHEMAS:
        path = folder / FOLDER / f"{kind}.json"
        write_atomic(path, text_of(kind))
        paths.append(path)
    return paths


def text_of(kind: str) -> str:
    """The schema as JSON.

    Raises:
        UsageError: what an installed package declares cannot be loaded.
    """
    try:
        schema = SCHEMAS[kind]()
    except ValueError as error:
        raise UsageError(str(error), hint="repair or uninstall that package") from None
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
