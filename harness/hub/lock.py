"""`harness.lock`: the commit of every model that a project names on a hub."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import Field

from harness.errors import ConfigError
from harness.files import write_atomic
from harness.hub.name import HubName
from harness.records.base import Record, read_record
from harness.yaml_files import read_yaml

LOCK_NAME = "harness.lock"
_HEAD = """\
# The commits of the models that this project takes from a hub. Written by `harness lock`; keep it
# under version control. `harness lock --update` takes the newest commits.
"""


class LockedModel(Record):
    """A model, the revision that was asked for, and the commit that it was then."""

    name: str
    revision: str
    commit: str = Field(pattern=r"^[0-9a-f]{40}$")


class Lock(Record):
    """The file."""

    version: Literal[1]
    models: tuple[LockedModel, ...] = ()


def read_lock(root: Path) -> dict[HubName, str] | None:
    """The locked commits by name, or None where the project has no lock.

    Raises:
        ConfigError: the file cannot be read, or holds something else.
    """
    path = root / LOCK_NAME
    if not path.exists():
        return None
    hint = "`harness lock` writes it anew; delete it first"
    lock = read_record(Lock, read_yaml(path, ConfigError), ConfigError, hint=hint)
    return {HubName(one.name, one.revision): one.commit for one in lock.models}


def write_lock(root: Path, commits: Mapping[HubName, str]) -> None:
    """Replace the project's lock, sorted by name and revision.

    Raises:
        StorageError: it cannot be written.
    """
    lines = [
        f"  - {{name: {json.dumps(name.repo)}, revision: {json.dumps(name.revision)}, "
        f"commit: {json.dumps(commit)}}}\n"
        for name, commit in sorted(commits.items())
    ]
    models = "models:\n" + "".join(lines) if lines else "models: []\n"
    write_atomic(root / LOCK_NAME, f"{_HEAD}version: 1\n{models}", access="public")
