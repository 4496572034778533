"""The folders of the models and adapters that a configuration names, by path or on a hub."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from harness.ci_mode import in_ci
from harness.config import Project
from harness.errors import InfrastructureError, UsageError
from harness.hub.client import Kind, is_offline
from harness.hub.lock import LOCK_NAME, read_lock
from harness.hub.name import EXPLICIT, check_there, hub_name, parse
from harness.hub.resolve import ModelFolder, find, known, newest_commit
from harness.records.run import Watcher
from harness.records.server import ManagedServer

TOKENIZER = "tokenizer"
PATIENCE = 5.0


@dataclass(frozen=True, slots=True)
class NamedModel:
    """A model that a configuration names: what is written, what it is to be, and the key."""

    given: str
    kind: Kind
    key: str


def named_models(project: Project, targets: Iterable[str] | None = None) -> Iterator[NamedModel]:
    """What the targets, or all servers and targets, name: models, tokenizers and adapters."""
    names = list(project.config.targets) if targets is None else list(targets)
    of_targets = [project.target(name).server for name in names]
    servers = project.config.servers if targets is None else dict.fromkeys(of_targets)
    for server in servers:
        configured = project.config.servers[server]
        if isinstance(configured, ManagedServer):
            yield NamedModel(configured.model, "model", f"servers.{server}.model")
            tokenizer = configured.args.get(TOKENIZER)
            if isinstance(tokenizer, str):
                yield NamedModel(tokenizer, "tokenizer", f"servers.{server}.args.{TOKENIZER}")
    for name in names:
        adapter = project.config.targets[name].adapter
        if adapter is not None:
            yield NamedModel(adapter, "adapter", f"targets.{name}.adapter")


def fetch_models(project: Project, targets: Iterable[str], watcher: Watcher) -> None:
    """Return once all that the targets name on a hub is cached; the watcher hears of it.

    Raises:
        UsageError: no such model, revision or right; not locked in CI; offline and not cached.
        InfrastructureError: the hub cannot be reached, or the disk has no room.
    """
    for named in named_models(project, dict.fromkeys(targets)):
        _on_hub(project, named, watcher=watcher)


def server_model(project: Project, server: str, *, here: bool = False) -> ModelFolder:
    """The folder of a managed server's model, fetched if need be; it may not be there.

    With `here` no hub is asked: what is not cached is not there.

    Raises:
        UsageError, InfrastructureError: as `fetch_models`.
        ConfigError: a relative path climbs out of the project.
    """
    configured = project.config.servers[server]
    assert isinstance(configured, ManagedServer)
    _check_code(project, server, configured)
    named = NamedModel(configured.model, "model", f"servers.{server}.model")
    return _on_hub(project, named, here) or ModelFolder(project.resolve(named.given, named.key))


def server_tokenizer(project: Project, server: str, *, here: bool = False) -> ModelFolder | None:
    """The folder of a managed server's own tokenizer, where its `args` name one on a hub.

    Raises:
        UsageError, InfrastructureError: as `fetch_models`.
    """
    configured = project.config.servers[server]
    given = configured.args.get(TOKENIZER) if isinstance(configured, ManagedServer) else None
    if not isinstance(given, str):
        return None
    key = f"servers.{server}.args.{TOKENIZER}"
    return _on_hub(project, NamedModel(given, "tokenizer", key), here)


def target_adapter(project: Project, target: str, *, here: bool = False) -> ModelFolder:
    """The folder of a target's adapter, as `server_model` has the model's; the target has one.

    Raises:
        UsageError, InfrastructureError: as `fetch_models`.
        ConfigError: a relative path climbs out of the project.
    """
    adapter = project.target(target).adapter
    assert adapter is not None
    named = NamedModel(adapter, "adapter", f"targets.{target}.adapter")
    return _on_hub(project, named, here) or ModelFolder(project.resolve(named.given, named.key))


def check_named(project: Project, server: str) -> None:
    """Return unless the model of a managed server is neither a folder nor named on a hub.

    Raises:
        UsageError: it is neither; the error has its line.
        ConfigError: a relative path climbs out of the project.
    """
    configured = project.config.servers[server]
    assert isinstance(configured, ManagedServer)
    key = f"servers.{server}.model"
    if hub_name(configured.model, project.root) is None:
        project.resolve(configured.model, key)
        check_there(configured.model, project.root, project.place(key))


def check_on_hub(project: Project, target: str) -> None:
    """Return unless a hub says that it has nothing for us under a name of the target's.

    Only names whose files are not here are asked for, and of a hub that cannot be asked nothing is
    said.

    Raises:
        UsageError: no such model, revision or right.
    """
    for named in named_models(project, [target]):
        found = known(named.given, project.root, named.kind)
        if found is None or found.missing is None or is_offline():
            continue
        with suppress(InfrastructureError):
            newest_commit(found.missing, project.place(named.key), PATIENCE)


def check_fetched(project: Project, folder: ModelFolder, key: str) -> None:
    """Return unless the folder, named under the key, is of a model on a hub that is not cached.

    Raises:
        UsageError: it is.
    """
    if folder.missing is not None:
        hint = "`harness run` and `harness serve` fetch what they need"
        locked = folder.missing.commit or folder.missing in (read_lock(project.root) or {})
        if in_ci() and not locked:
            hint = f"in CI only locked models are fetched: run `harness lock`, commit {LOCK_NAME}"
        raise UsageError(
            f"{folder.missing} is not fetched yet", where=project.place(key), hint=hint
        )


def _on_hub(
    project: Project, named: NamedModel, here: bool = False, watcher: Watcher | None = None
) -> ModelFolder | None:
    if parse(named.given) is None and not named.given.startswith(EXPLICIT):
        return None  # a path; its place in the file need not be looked for
    if here:
        return known(named.given, project.root, named.kind)
    place = project.place(named.key)
    return find(named.given, project.root, named.kind, place, watcher)


def _check_code(project: Project, server: str, configured: ManagedServer) -> None:
    """Refuse to run code of a model from a hub: none is fetched."""
    if configured.trust_remote_code and hub_name(configured.model, project.root) is not None:
        raise UsageError(
            "`trust_remote_code` needs the model's code, and no code is fetched from a hub",
            where=project.place(f"servers.{server}.trust_remote_code"),
            hint="download the repository yourself, read its code, and name the folder",
        )
