"""Listing: what a server lists as an adapter, held against the files that are meant."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from harness.client.models import ModelEntry, ServerDescription
from harness.config import Project
from harness.errors import AdapterNotApplied, HarnessError, UsageError
from harness.records.server import ManagedServer, is_local
from harness.records.target import Identity
from harness.serving.adapter import read_adapter
from harness.storage import runs_of


def adapter_behind(project: Project, target: str, url: str, entry: ModelEntry | None) -> str | None:
    """What stands for the adapter of a target on a url, or None where it has none.

    That is the digest of the files that the target names; else what the server lists, with the
    digest of its files where the server is on this machine and they can be read.

    Raises:
        UsageError: the target names files that are not there or are no adapter.
    """
    named = project.target(target).adapter
    if named is not None:
        return read_adapter(project.resolve(named, f"targets.{target}.adapter")).digest
    if entry is None or entry.parent is None:
        return None
    digest = _digest_here(url, entry.root)
    place = f"{url}#{entry.root or entry.id}"
    return place if digest is None else f"{place}@{digest}"


def not_listed(project: Project, target: str, url: str, server: ServerDescription) -> HarnessError:
    """The error for a target whose model the server does not list.

    A name that was an adapter once, or is declared to be one, was dropped; any other is mistaken.
    """
    chosen = project.target(target)
    listed = ", ".join(f"`{model.id}`" for model in server.models)
    once = any(
        header.identity.adapter is not None
        and (header.identity.server, header.identity.model) == (url, chosen.model)
        for _, header in runs_of(project.runs, target)
    )
    if once or chosen.adapter is not None:
        return AdapterNotApplied(
            f"the server does not list the adapter `{chosen.model}` (it lists {listed})",
            where=url,
            hint="load it again; the server's log says why it was dropped",
        )
    return UsageError(
        f"{url} has no model `{chosen.model}`",
        where=f"{project.file}: targets.{target}.model",
        hint=f"it lists {listed}",
    )


def check_listing(
    project: Project, target: str, identity: Identity, server: ServerDescription
) -> None:
    """Return if nothing that the server lists of the target's adapter speaks against its files.

    A server elsewhere lists a path that cannot be looked at from here; that speaks for nothing.

    Raises:
        AdapterNotApplied: it lists other files under the adapter's name.
    """
    chosen = project.target(target)
    entry = server.model(identity.model)
    if entry is None or chosen.adapter is None:
        return
    folder = project.resolve(chosen.adapter, f"targets.{target}.adapter")
    if isinstance(project.config.servers[chosen.server], ManagedServer):
        other = Path(entry.root or "") != folder.absolute()
    else:
        other = _digest_here(identity.server, entry.root) not in (None, identity.adapter)
    if other:
        raise AdapterNotApplied(
            f"the server serves `{identity.model}` from {entry.root}, which is another adapter "
            f"than {chosen.adapter}",
            hint="load the right files under this name, or name in `adapter` what is served",
        )


def _digest_here(url: str, root: str | None) -> str | None:
    """The digest of the adapter at `root`, if a server on this machine can mean that folder."""
    if not all(is_local(urlsplit(one).hostname or "") for one in url.split()):
        return None
    if root is None or not Path(root).is_absolute() or not Path(root).is_dir():
        return None
    try:
        return read_adapter(Path(root)).digest
    except UsageError:
        return None
