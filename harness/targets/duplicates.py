"""Servers and targets of a configuration that are one thing under two names."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Hashable, Iterator

from harness.config import Project
from harness.records.server import RemoteServer

Line = tuple[str, bool]  # and whether it is a warning


def duplicate_lines(project: Project) -> Iterator[Line]:
    """A warning for each server on the url of another one, and each target that is another one."""
    config = project.config
    seen: dict[Hashable, str] = {}
    for name, server in config.servers.items():
        if not isinstance(server, RemoteServer):
            continue
        for url in server.urls:
            first = seen.setdefault((url, server.api_key_env), name)
            if first != name:
                place = project.place(f"servers.{name}.url")
                what = f"the url of `{first}` too, so the limits of each know nothing of the other"
                yield f"{place}: {what}: make them one server", True
    targets: defaultdict[Hashable, list[str]] = defaultdict(list)
    for name in config.targets:
        targets[_content(project, name)].append(name)
    for first, *others in targets.values():
        for name in others:
            what = f"is `{first}` under another name, and comparing them shows noise alone"
            yield f"{project.place(f'targets.{name}')}: {what}", True


def _content(project: Project, name: str) -> Hashable:
    """What the answers of a target depend on, as far as the configuration tells."""
    target = project.config.targets[name]
    server = project.config.servers[target.server]
    where = (server.dialect, *server.urls) if isinstance(server, RemoteServer) else target.server
    settings = project.generation(name)
    before = target.model_dump(include={"few_shot", "retrieval"})
    asked = json.dumps([settings.sampling(), settings.seed, before], sort_keys=True, default=str)
    return where, target.model, target.adapter, target.system_prompt, asked
