"""`harness lock`, and what is known of the models that a project names on a hub."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import click

from harness.cli.options import config_option
from harness.config import Project, load_project
from harness.errors import UsageError
from harness.files import seen_from
from harness.hub.lock import LOCK_NAME, read_lock, write_lock
from harness.hub.name import HubName, check_readings, hub_name
from harness.hub.resolve import known, newest_commit
from harness.targets.models import NamedModel, named_models
from harness.training.candidate import load_recipe
from harness.yaml_files import read_yaml

RECIPES = "recipes"


@click.command("lock")
@click.argument("recipes", nargs=-1, type=click.Path(path_type=Path))
@click.option("--update", is_flag=True, help="Take the newest commit of every model.")
@config_option
def command(recipes: tuple[Path, ...], update: bool, config: Path) -> None:
    """Write the commits of the models that are named on a hub into harness.lock.

    Those are the models, tokenizers and adapters of harness.yaml and the bases of the recipes in
    recipes/, and of RECIPES elsewhere. A commit that is locked stays, unless with --update; a model
    that is no longer named goes. Nothing is downloaded.
    """
    project = load_project(config)
    names = _names(project, recipes)
    before = read_lock(project.root)
    if not names and before is None:
        click.echo("no model is named on a hub: nothing to lock")
        return
    locked = before or {}
    kept = {} if update else {name: locked[name] for name in names if name in locked}
    commits = {
        name: kept.get(name) or newest_commit(name, where) for name, where in sorted(names.items())
    }
    write_lock(project.root, commits)
    for name, commit in commits.items():
        click.echo(f"{name}: {_change(locked.get(name), commit)}")
    for name in sorted(locked.keys() - commits.keys()):
        click.echo(f"{name}: no longer named")
    count = len(commits)
    click.echo(f"{LOCK_NAME}: {count} model{'' if count == 1 else 's'}")


def hub_lines(project: Project) -> Iterator[tuple[str, bool]]:
    """A line on each model that is named on a hub, and whether it is a warning; nothing is asked.

    Raises:
        ConfigError: the lock cannot be read.
    """
    locked = read_lock(project.root) or {}
    said: set[HubName] = set()
    for named, where in _named(project, ()):
        try:
            check_readings(named.given, project.root, where)
        except UsageError as error:
            yield error.line, True
            continue
        name = hub_name(named.given, project.root)
        if name is None or name in said:
            continue
        said.add(name)
        found = known(named.given, project.root, named.kind)
        assert found is not None
        pinned = name in locked or name.commit is not None
        commit = f" {found.source.rpartition('@')[2][:12]}" if found.source else ""
        fetched = "fetched" if found.path.is_dir() else "not fetched yet"
        yield f"{name}: {'locked' if pinned else 'not locked'}{commit}, {fetched}", False
        if not pinned:
            folder = "" if name.explicit else f" (`./{named.given}` would be a folder)"
            what = f"`{named.given}` is taken from a hub{folder}, and not locked"
            yield f"{where}: {what} - run `harness lock`", True


def _names(project: Project, recipes: Sequence[Path]) -> dict[HubName, str]:
    """The names that a branch or a tag leaves open, each with the first place where it stands."""
    found: dict[HubName, str] = {}
    for named, where in _named(project, recipes):
        check_readings(named.given, project.root, where)
        name = hub_name(named.given, project.root)
        if name is not None and name.commit is None:
            found.setdefault(name, where)
    return found


def _named(project: Project, recipes: Sequence[Path]) -> Iterator[tuple[NamedModel, str]]:
    for named in named_models(project):
        yield named, project.place(named.key)
    for path in recipes:
        yield NamedModel(load_recipe(path).base, "model", "base"), f"{path}: base"
    for path in sorted((project.root / RECIPES).rglob("*.y*ml")):
        with suppress(UsageError):  # what is no recipe is left to who uses it
            base = read_yaml(path).data.get("base")
            if isinstance(base, str):
                yield NamedModel(base, "model", "base"), f"{seen_from(Path.cwd(), path)}: base"


def _change(before: str | None, commit: str) -> str:
    if before is None:
        return f"{commit[:12]}, new"
    return commit[:12] if before == commit else f"{commit[:12]}, was {before[:12]}"
