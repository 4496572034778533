"""`harness serve`."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import click

from harness.cli.console import Console
from harness.cli.options import config_option
from harness.config import Project, load_project
from harness.errors import ServerError, UsageError
from harness.files import make_folder, write_atomic
from harness.records.server import ManagedServer
from harness.targets.endpoint import connect, model_name
from harness.targets.models import fetch_models

POLL_SECONDS = 1.0


@click.command("serve")
@click.argument("targets", nargs=-1, metavar="[TARGET]...")
@config_option
def command(targets: tuple[str, ...], config: Path) -> None:
    """Serve a managed server's base and its TARGETs' adapters until Ctrl-C.

    Without a TARGET, all targets of the only managed server are served. The address is printed,
    one for each replica; the key, drawn anew, is in .harness/serve-<pid>.key until then, readable
    by its owner alone.
    """
    project = load_project(config)
    server, names = _chosen(project, targets)
    log = project.root / ".harness" / "serve.log"
    make_folder(log.parent)
    with Console() as console:
        fetch_models(project, names, console)
    key_file = project.root / ".harness" / f"serve-{os.getpid()}.key"
    with (
        _ended_by_sigterm(),
        connect(project, server, names, log, lambda text: click.echo(text, err=True)) as endpoint,
    ):
        try:
            write_atomic(key_file, endpoint.api_key or "", access="secret")
            for url in endpoint.urls:
                click.echo(f"url: {url}")
            click.echo(f"key: in {key_file}")
            for name in names:
                click.echo(f"{name}: model `{model_name(project, name)}`")
            while endpoint.managed is not None and endpoint.managed.serving():
                time.sleep(POLL_SECONDS)
        finally:
            key_file.unlink(missing_ok=True)
        raise ServerError("the server ended by itself", where=str(log), hint="its log says why")


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """Within the block SIGTERM leaves like Ctrl-C does, so that everything is put away."""

    def leave(number: int, _: FrameType | None) -> None:
        signal.signal(number, signal.SIG_IGN)  # a second one must not break the putting away
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _chosen(project: Project, targets: tuple[str, ...]) -> tuple[str, list[str]]:
    servers = {project.target(name).server for name in targets} or {
        name for name, server in project.config.servers.items() if isinstance(server, ManagedServer)
    }
    if len(servers) != 1:
        raise UsageError(
            f"one managed server at a time, here there are {len(servers)}",
            hint="name targets of one server",
        )
    server = servers.pop()
    if not isinstance(project.config.servers[server], ManagedServer):
        raise UsageError(
            f"`{server}` is given by url and already runs", hint="name targets of a managed server"
        )
    names = list(targets) or [
        name for name, target in project.config.targets.items() if target.server == server
    ]
    return server, names
