"""`harness lock`, and what is known of the models that a project names on a hub."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import click

from harness.cli.options import config_option
from harness.config import Project, load_project
from harness.errors import ConfigError, HarnessError, UsageError
from harness.files import seen_from
from harness.hub.client import is_offline
from harness.hub.lock import LOCK_NAME, read_lock, write_lock
from harness.hub.name import HubName, check_readings, check_there, hub_name
from harness.hub.resolve import known, newest_commit
from harness.targets.missing import MADE_HERE, RECIPES
from harness.targets.models import PATIENCE, NamedModel, named_models
from harness.training.candidate import load_recipe
from harness.yaml_files import read_yaml


@click.command("lock")
@click.argument("recipes", nargs=-1, type=click.Path(path_type=Path))
@click.option("--update", is_flag=True, help="Take the newest commit of every model.")
@click.option("--check", is_flag=True, help="Write nothing; fail where the lock is not up to date.")
@config_option
def command(recipes: tuple[Path, ...], update: bool, check: bool, config: Path) -> None:
    """Write the commits of the models that are named on a hub into harness.lock.

    Those are the models, tokenizers and adapters of harness.yaml and the bases of the recipes in
    recipes/, and of RECIPES elsewhere. A commit that is locked stays, unless with --update; a model
    that is no longer named goes. Nothing is downloaded. What has moved since it was locked is said.

    With --check the exit code is 0 where every model that is named is locked, none besides, and
    none has moved; else 2, or 3 where the hub cannot be asked.
    """
    if update and check:
        raise click.UsageError("--check writes nothing, so --update does not go with it")
    project = load_project(config)
    names = _names(project, recipes, lambda error: click.echo(f"warning: {error.line}", err=True))
    before = read_lock(project.root)
    if not names and before is None:
        click.echo("no model is named on a hub: nothing to lock")
        return
    locked = before or {}
    if check:
        _check_lock(names, locked)
        return
    kept = {} if update else {name: locked[name] for name in names if name in locked}
    commits = {
        name: kept.get(name) or newest_commit(name, where) for name, where in sorted(names.items())
    }
    write_lock(project.root, commits)
    for name, commit in commits.items():
        moved = _moved(name, names[name], commit) if name in kept else None
        click.echo(f"{name}: {_change(locked.get(name), commit)}{moved or ''}")
    for name in sorted(locked.keys() - commits.keys()):
        click.echo(f"{name}: no longer named")
    count = len(commits)
    click.echo(f"{LOCK_NAME}: {count} model{'' if count == 1 else 's'}")


def _moved(name: HubName, where: str, commit: str) -> str:
    """What is to be said of a branch that is no longer at its locked commit, if it can be asked."""
    if is_offline():
        return ""
    try:
        newest = newest_commit(name, where, PATIENCE)
    except HarnessError as error:  # the lock needs no hub
        return f" (not known whether it has moved: {error.what})"
    if newest == commit:
        return ""
    return f", has moved to {newest[:12]} since; `harness lock --update` takes that"


def _check_lock(names: Mapping[HubName, str], locked: Mapping[HubName, str]) -> None:
    """Say what of the lock is not up to date.

    Raises:
        ConfigError: something is not.
        UsageError, HubUnreachable: as `newest_commit`.
    """
    amiss = 0
    for name, where in sorted(names.items()):
        before, newest = locked.get(name), newest_commit(name, where)
        if before != newest:
            amiss += 1
            was = f"moved from {before[:12]} to" if before else "not locked, now at"
            click.echo(f"{name}: {was} {newest[:12]}")
    for name in sorted(locked.keys() - names.keys()):
        amiss += 1
        click.echo(f"{name}: no longer named")
    if amiss:
        raise ConfigError(
            f"not up to date: {amiss} of {len(names.keys() | locked.keys())} models",
            where=LOCK_NAME,
            hint="`harness lock` adds and drops, with --update it takes the newest commits",
        )
    click.echo(f"{LOCK_NAME}: up to date")


def hub_lines(project: Project) -> Iterator[tuple[str, bool]]:
    """A line on each model that is named on a hub, and whether it is a warning; nothing is asked.

    Raises:
        ConfigError: the lock cannot be read.
    """
    locked = read_lock(project.root) or {}
    said: set[HubName] = set()
    unread: list[str] = []
    for named, where in _named(project, (), lambda error: unread.append(error.line)):
        try:
            _check(project, named, where)
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
    for line in unread:
        yield line, True


def _check(project: Project, named: NamedModel, where: str) -> None:
    """Refuse what is neither a folder nor a hub's name; folders of the project's own may come."""
    configured = named.kind != "tokenizer" and named.key != "base"  # others' paths start elsewhere
    if configured and hub_name(named.given, project.root) is None:
        project.resolve(named.given, named.key)
    if named.kind != "adapter" and not named.given.startswith(MADE_HERE):
        check_there(named.given, project.root, where)
    check_readings(named.given, project.root, where)


def _names(
    project: Project, recipes: Sequence[Path], unread: Callable[[UsageError], object]
) -> dict[HubName, str]:
    """The names that a branch or a tag leaves open, each with the first place where it stands."""
    found: dict[HubName, str] = {}
    for named, where in _named(project, recipes, unread):
        check_readings(named.given, project.root, where)
        try:
            _check(project, named, where)
        except UsageError as error:
            unread(error)
        name = hub_name(named.given, project.root)
        if name is not None and name.commit is None:
            found.setdefault(name, where)
    return found


def _named(
    project: Project, recipes: Sequence[Path], unread: Callable[[UsageError], object]
) -> Iterator[tuple[NamedModel, str]]:
    """What is named, with its place; `unread` hears of a recipe whose base is misspelt."""
    for named in named_models(project):
        yield named, project.place(named.key)
    for path in recipes:
        yield NamedModel(load_recipe(path).base, "model", "base"), f"{path}: base"
    for path in sorted((project.root / RECIPES).rglob("*.y*ml")):
        place = seen_from(Path.cwd(), path)
        try:
            yield NamedModel(load_recipe(Path(place)).base, "model", "base"), f"{place}: base"
        except UsageError as error:
            base = _base_of(path)
            if base is not None:
                yield NamedModel(base, "model", "base"), f"{place}: base"
            elif "did you mean `base`" in error.line:
                unread(error)  # any other file may be of another kind


def _base_of(path: Path) -> str | None:
    """The base that a file names, whatever kind of recipe it is."""
    with suppress(UsageError):
        base = read_yaml(path).data.get("base")
        return base if isinstance(base, str) else None
    return None


def _change(before: str | None, commit: str) -> str:
    if before is None:
        return f"{commit[:12]}, new"
    return commit[:12] if before == commit else f"{commit[:12]}, was {before[:12]}"
