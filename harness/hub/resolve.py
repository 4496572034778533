"""The folder of a model that is named on a hub: its commit is found, its files are fetched once."""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from harness.ci_mode import in_ci
from harness.errors import HarnessError, UsageError
from harness.hub import client
from harness.hub.client import Kind, Listing
from harness.hub.failures import HubUnreachable, not_cached, translated
from harness.hub.guard import check_inside
from harness.hub.lock import LOCK_NAME, read_lock
from harness.hub.name import HubName, check_readings, hub_name
from harness.records.run import Watcher

_QUICK_SECONDS = 5.0
_MEGABYTE = 1_000_000

# What the hub answered to this process, by cache, hub, name and revision: a branch that moves while
# a command runs must not change what it runs on.
Answers = dict[tuple[str, str, HubName], str]
_answers: Answers = {}
_said: set[str] = set()


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """A model's or an adapter's folder; `source` is `ORG/NAME@commit` where it is from a hub.

    What a hub has and the cache has not is `missing`, and its path leads nowhere.
    """

    path: Path
    source: str | None = None
    missing: HubName | None = None


def find(
    given: str, root: Path, kind: Kind, where: str, watcher: Watcher | None = None
) -> ModelFolder | None:
    """The fetched folder of what a project names on a hub, or None where a folder is meant.

    The commit is that of the name itself, of `harness.lock`, or what the hub says now. `where` is
    the place of the name, for errors; the watcher hears of what is asked and fetched, of a model
    that is not locked, and of a branch that has moved since it was.

    Raises:
        UsageError: no such model, revision or right; neither a folder nor a hub's name; not locked
            in CI; offline and not cached.
        ConfigError: the lock cannot be read.
        HubUnreachable: the network or the hub failed, and the cache has no such model.
        InfrastructureError: what the hub says, or a link in the cache, leads out of the cache.
        StorageError: the disk has no room for it.
    """
    check_readings(given, root, where)
    name = hub_name(given, root)
    if name is None:
        return None
    client.require_client()
    with translated(name, where):
        pinned = _pinned(name, root, where, watcher)
        commit = pinned or _commit_now(name, kind, where, watcher)
        _fetch(name, commit, kind, where, watcher)
        folder = client.snapshot_folder(name, commit)
        check_inside(folder, client.cache_folder())
        if pinned is None:
            client.cache_commit(name, commit)
            _say(
                watcher,
                f"warning: {name} is not in {LOCK_NAME}: now it is {commit[:12]}, and may be "
                "another model tomorrow; `harness lock` pins it",
            )
        return ModelFolder(folder, f"{name.repo}@{commit}")


def known(given: str, root: Path, kind: Kind) -> ModelFolder | None:
    """What `find` would give by the lock and the cache alone; None where a folder is meant.

    Its source is None where no commit is known. Nothing is asked.

    Raises:
        ConfigError: the lock cannot be read.
    """
    name = hub_name(given, root)
    if name is None:
        return None
    commit = name.commit or (read_lock(root) or {}).get(name)
    if find_spec("huggingface_hub") is not None:
        commit = commit or _answers.get(_key(name)) or client.cached_commit(name)
        if commit is not None and client.is_whole(name, commit, kind):
            return ModelFolder(client.snapshot_folder(name, commit), f"{name.repo}@{commit}")
    return ModelFolder(Path(os.devnull, name.repo), commit and f"{name.repo}@{commit}", name)


def newest_commit(name: HubName, where: str, timeout: float | None = None) -> str:
    """The commit that the revision is now, as the hub says.

    Raises:
        UsageError: no such model, revision or right; offline.
        HubUnreachable: the network or the hub failed.
    """
    client.require_client()
    if client.is_offline():
        what = f"HF_HUB_OFFLINE forbids to ask which commit {name} is"
        raise UsageError(what, where=where, hint="run the command without it")
    with translated(name, where):
        if timeout is None:
            return client.list_files(name, name.revision).commit
        return client.list_files(name, name.revision, timeout).commit


def remembered() -> Answers:
    """What the hub has answered to this process so far, for `remember` in another one."""
    return dict(_answers)


def remember(answers: Answers) -> None:
    """Take what the hub has answered to the process that started this one."""
    _answers.update(answers)


def _pinned(name: HubName, root: Path, where: str, watcher: Watcher | None) -> str | None:
    """The commit of the name itself or of the lock, or None where nothing says which it must be."""
    if name.commit is not None:
        return name.commit
    locked = (read_lock(root) or {}).get(name)
    if locked is not None:
        _say_if_moved(name, locked, where, watcher)
        return locked
    if in_ci():
        raise UsageError(
            f"{name} is not in {LOCK_NAME}, and in CI only locked models are fetched",
            where=where,
            hint=f"run `harness lock` and commit {LOCK_NAME}",
        )
    return None


def _say_if_moved(name: HubName, locked: str, where: str, watcher: Watcher | None) -> None:
    if watcher is None or client.is_offline():
        return
    try:
        newest = _answers.get(_key(name)) or newest_commit(name, where, _QUICK_SECONDS)
    except HarnessError:
        newest = locked  # nothing needs the hub: the commit is known
    _answers[_key(name)] = newest
    if newest != locked:
        _say(
            watcher,
            f"{name} has moved from the locked {locked[:12]} to {newest[:12]}; the locked one is "
            "used, `harness lock --update` takes the new one",
        )


def _commit_now(name: HubName, kind: Kind, where: str, watcher: Watcher | None) -> str:
    """The commit by what the hub says, or by the cache where it cannot be asked."""
    if (answered := _answers.get(_key(name))) is not None:
        return answered
    cached = client.cached_commit(name)
    whole = cached is not None and client.is_whole(name, cached, kind)
    if client.is_offline():
        if cached is None or not whole:
            raise not_cached(name, where)
        return cached
    absent = "" if name.explicit else "no such folder; "
    _say(watcher, f"{name}: {absent}asking {client.endpoint()} for the model of that name")
    try:
        commit = newest_commit(name, where)
    except HubUnreachable as error:
        if cached is None or not whole:
            raise
        _say(watcher, f"{error.what}; {name} is {cached[:12]}, as it was when it was last asked")
        commit = cached
    _answers[_key(name)] = commit
    return commit


def _fetch(name: HubName, commit: str, kind: Kind, where: str, watcher: Watcher | None) -> None:
    """Return once the cache has what is wanted of the commit."""
    offline = client.is_offline()
    if client.is_whole(name, commit, kind, surely=not offline):
        return
    if offline:
        raise not_cached(name, where)
    try:
        with translated(HubName(name.repo, commit), where):
            listing = client.list_files(name, commit)
    except HubUnreachable:
        if client.is_whole(name, commit, kind):
            return
        raise
    client.check_loadable(name, listing, kind, where)
    client.check_room(name, listing, kind)
    _download(name, listing, kind, watcher)
    if not client.is_whole(name, commit, kind, surely=True):
        raise HubUnreachable(
            f"{name} came incompletely from {client.endpoint()}",
            where=where,
            hint="run the command again; files that are whole are kept",
        )


def _download(name: HubName, listing: Listing, kind: Kind, watcher: Watcher | None) -> None:
    size = sum(listing.wanted(kind).values())
    _say(watcher, f"{name}: fetching commit {listing.commit[:12]}, {client.as_text(size)}")

    def count(done: int, total: int) -> None:
        if watcher is not None:
            whole = max(total // _MEGABYTE, 1)
            part = whole if done >= total else min(done // _MEGABYTE, whole)
            watcher.progress(f"fetching {name.repo} (MB)", part, whole, "")

    client.download(name, listing, kind, count)
    count(size, size)  # files of one content are fetched once


def _key(name: HubName) -> tuple[str, str, HubName]:
    return str(client.cache_folder()), client.endpoint(), name


def _say(watcher: Watcher | None, text: str) -> None:
    """Tell the watcher once in a process: many parts of a command look for the same model."""
    if watcher is not None and text not in _said:
        _said.add(text)
        watcher.say(text)
